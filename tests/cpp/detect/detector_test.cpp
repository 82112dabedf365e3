#include "secondlook/detect/detector.hpp"

#include <cmath>
#include <filesystem>
#include <memory>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "secondlook/detect/detector_ensemble.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"
#include "temporary_folder.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

namespace {

Matrix<double> rows_of(Index n, std::uint64_t seed, double shift = 0) {
  RandomStream random(seed);
  Matrix<double> rows(n, 3);
  for (double& value : rows.values()) value = random.uniform() + random.uniform() - 1 + shift;
  return rows;
}

std::unique_ptr<Detector> make(int which) {
  if (which == 0) return std::make_unique<IsolationForest>(IsolationForestParameters{.seed = 1});
  if (which == 1)
    return std::make_unique<Autoencoder>(AutoencoderParameters{.hidden = {4}, .max_epochs = 2});
  if (which == 2)
    return std::make_unique<LstmForecaster>(
        LstmForecasterParameters{.window = 8, .hidden = 4, .max_epochs = 1});
  return std::make_unique<DetectorEnsemble>(
      std::vector<EnsembleMember>{{"forest", std::make_shared<IsolationForest>()}});
}

// A rule fitted on a detector's scores of normal rows and of shifted rows.
DecisionRule rule_for(const Detector& detector) {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (const bool abnormal : {false, true})
    for (const double score : detector.score_samples(rows_of(200, 5, abnormal ? 3 : 0))) {
      if (std::isnan(score)) continue;
      scores.push_back(-score);
      labels.push_back(abnormal ? 1 : 0);
    }
  return {scores, labels, {.threshold = TuneThresholdParameters{}}};
}

}  // namespace

TEST_CASE("Detector: scores float32 and float64, matrices and views, in the same way") {
  const auto which = GENERATE(0, 1, 2, 3);
  const auto detector = make(which);
  const Matrix<double> x = rows_of(300, 1);
  detector->fit(x);
  Matrix<float> narrow(x.rows(), x.cols());
  std::ranges::copy(x.values(), narrow.values().begin());
  const auto wide_scores = detector->score_samples(x);
  const auto narrow_scores = detector->score_samples(narrow);
  REQUIRE(wide_scores.size() == 300);
  REQUIRE(narrow_scores.back() == Approx(wide_scores.back()).epsilon(1e-3));
  REQUIRE(detector->score_samples(MatrixView<double>(x)).back() == wide_scores.back());
}

TEST_CASE("Detector: decides by its rule, which its file stores with the feature names") {
  const auto which = GENERATE(0, 1, 2, 3);
  const auto detector = make(which);
  REQUIRE_FALSE(detector->fitted());
  REQUIRE_THROWS_WITH(detector->decide(rows_of(2, 2)), Contains("expected a decision rule"));
  detector->fit(rows_of(300, 1));
  detector->set_feature_names({"volts", "amperes", "kelvin"});
  detector->set_decision_rule(rule_for(*detector));

  const Matrix<double> x = rows_of(40, 7, 3);
  const auto decisions = detector->decide(x);
  const auto scores = detector->score_samples(x);
  for (std::size_t i = 0; i < scores.size(); ++i)
    REQUIRE((decisions[i] == Decision::unknown) == std::isnan(scores[i]));
  REQUIRE(decisions.back() == Decision::positive);
  const std::vector<std::uint8_t> out_of_distribution(40, 1);
  REQUIRE(detector->decide(x, out_of_distribution).back() == Decision::refer);
  REQUIRE_THROWS_WITH(detector->decide(x, std::vector<std::uint8_t>(3)),
                      Contains("expected one value of out_of_distribution per row (40), got 3"));

  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  detector->save(path);
  const auto again = load_as<Detector>(path);
  REQUIRE(again->kind() == detector->kind());
  REQUIRE(again->feature_names() == detector->feature_names());
  REQUIRE(again->decide(x) == decisions);
  REQUIRE_FALSE(again->decision_rule_is_stale());
  const auto copy = again->clone();
  REQUIRE(copy->feature_names() == detector->feature_names());
  copy->partial_fit(rows_of(300, 9));
  REQUIRE(copy->decision_rule_is_stale());
  REQUIRE_FALSE(again->decision_rule_is_stale());
}

TEST_CASE("Detector: requires one name per feature") {
  IsolationForest forest;
  forest.fit(rows_of(50, 1));
  REQUIRE_THROWS_WITH(forest.set_feature_names({"one"}),
                      "Detector::set_feature_names: expected one name per feature (3), got 1");
  // The detector has been trained on other features since: the names are no longer written.
  forest.set_feature_names({"a", "b", "c"});
  forest.fit(Matrix<double>(50, 2));
  REQUIRE(forest.to_file().section("feature_names") == "null");
}

TEST_CASE("load_as: names the type of a model that does not match") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "forest.safetensors";
  IsolationForest forest;
  forest.fit(rows_of(50, 1));
  forest.save(path);
  REQUIRE(load_as<IsolationForest>(path)->n_features() == 3);
  REQUIRE_THROWS_WITH(load_as<Autoencoder>(path),
                      Contains("expected another type of model, got isolation_forest"));
  REQUIRE_THROWS_AS(load_as<Detector>(folder.path() / "none"), FileError);
}
