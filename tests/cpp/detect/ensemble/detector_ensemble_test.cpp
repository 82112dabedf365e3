#include "secondlook/detect/detector_ensemble.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "secondlook/detect/ensemble_stream.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"
#include "secondlook/eigen.hpp"

using secondlook::Autoencoder;
using secondlook::DetectorEnsemble;
using secondlook::DetectorEnsembleParameters;
using secondlook::EigenMatrix;
using secondlook::EnsembleMember;
using secondlook::EnsembleStream;
using secondlook::EnsembleVerdict;
using secondlook::Index;
using secondlook::InvalidArgument;
using secondlook::IsolationForest;
using secondlook::MatrixView;
using secondlook::ModelFile;
using secondlook::Severity;

namespace {

// Four features, of which the last two depend on the first two.
EigenMatrix<double> make_rows(Index n, std::uint64_t seed) {
  secondlook::RandomStream random(seed);
  EigenMatrix<double> rows(n, 4);
  for (Index i = 0; i < n; ++i) {
    const double a = random.uniform() + random.uniform() - 1;
    const double b = random.uniform() + random.uniform() - 1;
    rows.row(i) << a, b, a + b, 50 + 3 * a;
    for (Index j = 0; j < 4; ++j) rows(i, j) += 0.02 * (random.uniform() - 0.5);
  }
  return rows;
}

std::vector<EnsembleMember> small_members() {
  return {{"autoencoder",
           std::make_shared<Autoencoder>(secondlook::AutoencoderParameters{
               .hidden = {16, 4}, .dropout = 0, .learning_rate = 5e-3, .max_epochs = 30})},
          {"forest", std::make_shared<IsolationForest>(
                         secondlook::IsolationForestParameters{.n_estimators = 30})}};
}

DetectorEnsembleParameters with_rule() {
  DetectorEnsembleParameters p;
  p.rules = {{.feature = 3, .upper = 60, .reason = "too hot"}};
  p.feature_names = {"a", "b", "sum", "temperature"};
  p.recent_window = 50;
  return p;
}

DetectorEnsemble make_ensemble(const DetectorEnsembleParameters& parameters = with_rule()) {
  DetectorEnsemble ensemble(small_members(), parameters);
  ensemble.fit(make_rows(800, 1));
  return ensemble;
}

std::vector<double> scores_of(const DetectorEnsemble& ensemble, const EigenMatrix<double>& x) {
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  ensemble.score_samples(x, scores);
  return scores;
}

bool same(const EnsembleVerdict& a, const EnsembleVerdict& b) {
  return (a.score == b.score || (a.score != a.score && b.score != b.score)) && a.votes == b.votes &&
         a.severity == b.severity && a.reasons == b.reasons;
}

}  // namespace

TEST_CASE("DetectorEnsemble: finds anomalies that no single feature shows, and gives reasons") {
  const auto ensemble = make_ensemble();
  REQUIRE(ensemble.voters() == std::vector<std::string>{"autoencoder", "forest",
                                                        "autoencoder recent", "z_score", "rules"});
  const auto rows = make_rows(1000, 2);
  const auto normal = scores_of(ensemble, rows);
  REQUIRE(std::ranges::count_if(normal, [&](double s) { return s < ensemble.offset(); }) < 50);

  EnsembleStream stream(std::make_shared<const DetectorEnsemble>(ensemble));
  const std::vector<double> broken{0.5, 0.5, -1.0, 51.5};  // the sum is wrong
  const EnsembleVerdict verdict = stream.push(broken);
  REQUIRE(verdict.score < -1);
  REQUIRE(verdict.severity >= Severity::medium);
  REQUIRE(verdict.reasons.at(0).starts_with("autoencoder "));
  REQUIRE(verdict.reasons[0].find("sum") != std::string::npos);

  const std::vector<double> hot{0.0, 0.0, 0.0, 65.0};
  REQUIRE(std::ranges::count(stream.push(hot).reasons, "temperature 65 above 60 (too hot)") == 1);
  REQUIRE(stream.push(hot).severity == Severity::critical);
}

TEST_CASE("DetectorEnsemble: the score is below −1 exactly with the required votes") {
  const std::size_t votes = GENERATE(1, 2, 3, 4, 5);
  CAPTURE(votes);
  auto parameters = with_rule();
  parameters.votes = votes;
  const auto ensemble = std::make_shared<const DetectorEnsemble>(make_ensemble(parameters));
  auto rows = make_rows(300, 3);
  rows.topRows(100) *= 1.7;
  // A stream whose window never fills uses the level of the training data, as single rows do.
  const auto scores = scores_of(*ensemble, rows);
  for (Index i = 0; i < rows.rows(); ++i) {
    EnsembleStream stream(ensemble);
    const auto& verdict = stream.push(std::span(rows.row(i).data(), 4));
    REQUIRE(verdict.score == scores[static_cast<std::size_t>(i)]);
    REQUIRE((verdict.score < -1) == (verdict.n_votes() >= votes));
    REQUIRE((verdict.severity == Severity::normal) == (verdict.n_votes() < votes));
    REQUIRE(verdict.reasons.empty() == (verdict.severity == Severity::normal));
  }
}

TEST_CASE("EnsembleStream: a batch equals single samples, with gaps, snapshots and copies") {
  const auto ensemble = std::make_shared<const DetectorEnsemble>(make_ensemble());
  auto rows = make_rows(400, 4);
  rows.middleRows(200, 30) *= 1.5;
  rows(50, 1) = std::numeric_limits<double>::quiet_NaN();
  EnsembleStream one(ensemble), bulk(ensemble), resumed(ensemble);
  const auto all = bulk.push(rows);
  REQUIRE(all[50].score != all[50].score);
  REQUIRE(all[50].severity == Severity::normal);
  for (Index i = 0; i < rows.rows(); ++i) {
    if (i == 300) resumed.restore(one.snapshot());
    const std::span row(rows.row(i).data(), 4);
    REQUIRE(same(one.push(row), all[static_cast<std::size_t>(i)]));
    if (i >= 300) REQUIRE(same(resumed.push(row), all[static_cast<std::size_t>(i)]));
  }
  const std::vector<double> next{0.1, 0.2, 0.3, 50.3};
  EnsembleStream copy(one);
  REQUIRE(same(copy.push(next), one.push(next)));
}

TEST_CASE(
    "EnsembleStream: a quiet device has its own recent level, and a long fault remains a fault") {
  const auto ensemble = std::make_shared<const DetectorEnsemble>(make_ensemble());
  EnsembleStream quiet(ensemble), fresh(ensemble);
  const EigenMatrix<double> calm =
      0.1 * make_rows(200, 5) + Eigen::RowVector4d(0, 0, 0, 45).replicate(200, 1);
  static_cast<void>(quiet.push(calm));
  const std::vector<double> restless{0.45, -0.4, 0.05, 51.35};
  const auto recent_bit = 1U << 2;
  REQUIRE((fresh.push(restless).votes & recent_bit) == 0);
  REQUIRE((quiet.push(restless).votes & recent_bit) != 0);

  const std::vector<double> broken{0.5, 0.5, -1.0, 51.5};
  for (int i = 0; i < 200; ++i) REQUIRE(quiet.push(broken).severity != Severity::normal);
}

TEST_CASE("DetectorEnsemble: continues training, refits its limits, and does not affect copies") {
  auto ensemble = make_ensemble();
  const DetectorEnsemble before = ensemble;
  auto moved = make_rows(400, 7);
  moved.col(3).array() += 2;
  const auto old_scores = scores_of(before, moved);
  for (int pass = 0; pass < 5; ++pass) ensemble.partial_fit(moved);
  REQUIRE(ensemble.offset_is_stale());
  ensemble.fit_offset(moved);
  REQUIRE_FALSE(ensemble.offset_is_stale());
  REQUIRE(scores_of(before, moved) == old_scores);
  const auto n_found = [](const std::vector<double>& scores) {
    return std::ranges::count_if(scores, [](double s) { return s < -1; });
  };
  REQUIRE(n_found(scores_of(ensemble, moved)) < 20);
  REQUIRE(n_found(old_scores) > 200);
}

TEST_CASE("DetectorEnsemble: contributions of a row sum to minus its score") {
  const auto ensemble = make_ensemble();
  auto rows = make_rows(20, 8);
  rows.topRows(5) *= 2;
  std::vector<double> parts(80);
  ensemble.feature_contributions(rows, parts);
  const auto scores = scores_of(ensemble, rows);
  for (std::size_t i = 0; i < 20; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 4; ++j) sum += parts[i * 4 + j];
    REQUIRE(sum == Approx(-scores[i]));
  }
}

TEST_CASE("DetectorEnsemble: float rows score like the same values as doubles") {
  const auto ensemble = make_ensemble();
  const EigenMatrix<float> narrow = make_rows(50, 9).cast<float>();
  std::vector<double> scores(50);
  ensemble.score_samples(MatrixView<float>(narrow), scores);
  const auto wide = scores_of(ensemble, narrow.cast<double>());
  for (std::size_t i = 0; i < 50; ++i) REQUIRE(scores[i] == Approx(wide[i]));
}

TEST_CASE("DetectorEnsemble: a model from a file equals the original") {
  const auto ensemble = make_ensemble();
  const auto rows = make_rows(50, 10);
  const ModelFile file = ensemble.to_file();
  const auto text = file.serialize();
  const auto again = DetectorEnsemble::from_file(ModelFile::parse(std::as_bytes(std::span(text))));
  REQUIRE(scores_of(again, rows) == scores_of(ensemble, rows));
  REQUIRE(again.parameters() == ensemble.parameters());
  REQUIRE(again.to_file() == file);

  auto without = ModelFile(file.kind());
  for (const auto& [name, section] : file.sections()) without.set_section(name, section);
  for (const auto& [name, tensor] : file.tensors())
    if (name != "members.1.thresholds") without.add(name, tensor);
  REQUIRE_THROWS_AS(DetectorEnsemble::from_file(without), secondlook::ModelFileError);
}

TEST_CASE("DetectorEnsemble: invalid input is rejected without side effects") {
  auto parameters = with_rule();
  parameters.votes = 6;
  REQUIRE_THROWS_AS(DetectorEnsemble(small_members(), parameters), InvalidArgument);
  parameters = with_rule();
  parameters.n_sigma = 0;
  REQUIRE_THROWS_AS(DetectorEnsemble(small_members(), parameters), InvalidArgument);
  REQUIRE_THROWS_AS(DetectorEnsemble(std::vector<EnsembleMember>{}), InvalidArgument);
  auto twice = small_members();
  twice[1].name = "autoencoder";
  REQUIRE_THROWS_AS(DetectorEnsemble(twice), InvalidArgument);
  REQUIRE_THROWS_AS(DetectorEnsemble({{"lstm", std::make_shared<secondlook::LstmForecaster>()}}),
                    InvalidArgument);
  REQUIRE_THROWS_AS(DetectorEnsemble({{"vote", std::make_shared<DetectorEnsemble>()}}),
                    InvalidArgument);

  auto ensemble = make_ensemble();
  const auto rows = make_rows(20, 11);
  const auto scores = scores_of(ensemble, rows);
  REQUIRE_THROWS_AS(ensemble.fit(EigenMatrix<double>(EigenMatrix<double>::Zero(5, 3))),
                    InvalidArgument);
  EigenMatrix<double> holes = rows;
  holes(3, 2) = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_AS(ensemble.fit(holes), InvalidArgument);
  REQUIRE_THROWS_AS(ensemble.partial_fit(holes), InvalidArgument);
  REQUIRE_THROWS_AS(scores_of(ensemble, holes), InvalidArgument);
  REQUIRE_THROWS_AS(ensemble.fit(rows, [](std::size_t, std::size_t) { return false; }),
                    secondlook::Cancelled);
  REQUIRE(scores_of(ensemble, rows) == scores);

  REQUIRE_THROWS_AS(EnsembleStream(std::make_shared<const DetectorEnsemble>()),
                    secondlook::NotFitted);
  EnsembleStream stream(std::make_shared<const DetectorEnsemble>(ensemble));
  const std::vector<double> short_sample{1, 2, 3};
  REQUIRE_THROWS_AS(stream.push(short_sample), InvalidArgument);
  REQUIRE_THROWS_AS(stream.restore(std::vector<double>(51, 1.0)), InvalidArgument);
  parameters = with_rule();
  parameters.votes = 3;
  REQUIRE_THROWS_AS(stream.use(std::make_shared<const DetectorEnsemble>(make_ensemble(parameters))),
                    InvalidArgument);
}

TEST_CASE("DetectorEnsemble: rejects a file with an invalid count") {
  const ModelFile file = make_ensemble().to_file();
  const std::string wrong = GENERATE("-1", "-1.0", "2.5", "1e300", "18446744073709551616", "\"2\"");
  CAPTURE(wrong);
  std::string parameters = file.section("parameters");
  const std::string votes = "\"votes\":2";
  REQUIRE(parameters.find(votes) != std::string::npos);
  parameters.replace(parameters.find(votes), votes.size(), "\"votes\":" + wrong);
  ModelFile changed = file;
  changed.set_section("parameters", parameters);
  REQUIRE_THROWS_AS(DetectorEnsemble::from_file(changed), secondlook::ModelFileError);
}
