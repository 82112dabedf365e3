#include "secondlook/detect/autoencoder.hpp"

#include <algorithm>
#include <catch.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/eigen.hpp"

using secondlook::Autoencoder;
using secondlook::AutoencoderParameters;
using secondlook::EigenMatrix;
using secondlook::Index;
using secondlook::ModelFile;

namespace {

// Six features that are determined by two numbers, with a little noise.
EigenMatrix<double> make_rows(Index n, std::uint64_t seed) {
  secondlook::RandomStream random(seed);
  EigenMatrix<double> rows(n, 6);
  for (Index i = 0; i < n; ++i) {
    const double a = 2 * random.uniform() - 1;
    const double b = 2 * random.uniform() - 1;
    rows.row(i) << a, b, a + b, a - b, a * b, 100 + 5 * a;
    for (Index j = 0; j < 6; ++j) rows(i, j) += 0.02 * (random.uniform() - 0.5);
  }
  return rows;
}

AutoencoderParameters small() {
  AutoencoderParameters p;
  p.hidden = {16, 4};
  p.dropout = 0;
  p.max_epochs = 30;
  p.learning_rate = 5e-3;
  p.seed = 3;
  return p;
}

std::vector<double> scores_of(const Autoencoder& model, const EigenMatrix<double>& rows) {
  std::vector<double> scores(static_cast<std::size_t>(rows.rows()));
  model.score_samples(rows, scores);
  return scores;
}

}  // namespace

TEST_CASE("Autoencoder: rows off the manifold score lower than all normal ones") {
  Autoencoder model(small());
  model.fit(make_rows(2000, 1));
  const auto normal = scores_of(model, make_rows(500, 2));
  EigenMatrix<double> odd = make_rows(20, 4);
  odd.col(2).array() += 1.5;  // breaks the sum
  const auto anomalous = scores_of(model, odd);
  CHECK(*std::ranges::max_element(anomalous) < *std::ranges::min_element(normal));
  const auto& history = model.history();
  CHECK(history.back().validation_loss < 0.3 * history.front().validation_loss);
}

TEST_CASE("Autoencoder: contributions sum to minus the score and name the feature") {
  Autoencoder model(small());
  model.fit(make_rows(2000, 1));
  EigenMatrix<double> rows = make_rows(50, 5);
  rows(0, 4) += 3;
  const auto scores = scores_of(model, rows);
  std::vector<double> parts(50 * 6);
  model.feature_contributions(rows, parts);
  for (std::size_t i = 0; i < 50; ++i) {
    const double sum = std::accumulate(&parts[i * 6], &parts[i * 6] + 6, 0.0);
    CHECK(sum == Approx(-scores[i]).epsilon(1e-5));  // the sums are in float32
  }
  CHECK(std::max_element(parts.begin(), parts.begin() + 6) - parts.begin() == 4);
}

TEST_CASE("Autoencoder: the same seed gives identical scores, and a row the same score alone") {
  const auto rows = make_rows(700, 1);
  Autoencoder a(small());
  a.fit(rows);
  auto p = small();
  p.n_jobs = 2;
  Autoencoder b(p);
  b.fit(rows);
  const auto scores = scores_of(a, rows);
  CHECK(scores == scores_of(b, rows));
  for (Index i = 0; i < 100; ++i)
    REQUIRE(scores_of(a, rows.middleRows(i, 1)).front() == scores[static_cast<std::size_t>(i)]);
}

TEST_CASE("Autoencoder: a file gives the same model, which continues training in the same way") {
  const auto rows = make_rows(600, 1);
  Autoencoder model(small());
  model.fit(rows);
  model.partial_fit(rows);
  CHECK(model.offset_is_stale());
  auto copy = Autoencoder::from_file(
      ModelFile::parse(std::as_bytes(std::span<const char>(model.to_file().serialize()))));
  CHECK(scores_of(model, rows) == scores_of(copy, rows));
  CHECK(copy.history() == model.history());
  CHECK(copy.offset() == model.offset());
  CHECK(copy.offset_is_stale());
  model.partial_fit(rows);
  copy.partial_fit(rows);
  CHECK(scores_of(model, rows) == scores_of(copy, rows));
}

TEST_CASE("Autoencoder: the offset is the requested quantile of the training scores") {
  auto p = small();
  p.contamination = 0.1;
  Autoencoder model(p);
  const auto rows = make_rows(1000, 1);
  model.fit(rows);
  const auto scores = scores_of(model, rows);
  const auto below =
      std::ranges::count_if(scores, [&](double score) { return score < model.offset(); });
  CHECK(below == 100);
}

TEST_CASE("Autoencoder: partial_fit follows a change and keeps the scale") {
  Autoencoder model(small());
  model.fit(make_rows(2000, 1));
  EigenMatrix<double> moved = make_rows(1000, 6);
  moved.col(5).array() += 20;  // four standard deviations of the feature
  const auto mean = [&] {
    const auto scores = scores_of(model, moved);
    return std::accumulate(scores.begin(), scores.end(), 0.0) / 1000;
  };
  const double before = mean();
  for (int i = 0; i < 5; ++i) model.partial_fit(moved);
  CHECK(mean() > 0.5 * before);
}

TEST_CASE("Autoencoder: bad input is rejected and the model unchanged") {
  using Catch::Matchers::Contains;
  const auto rows = make_rows(300, 1);
  Autoencoder model(small());
  std::vector<double> scores(300);
  CHECK_THROWS_AS(model.score_samples(rows, scores), secondlook::NotFitted);
  CHECK_THROWS_AS(model.to_file(), secondlook::NotFitted);
  model.fit(rows);
  const auto before = scores_of(model, rows);

  auto bad = rows;
  bad(7, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(model.fit(bad), Contains("row 7") && Contains("column 2"));
  CHECK_THROWS_AS(model.partial_fit(bad), secondlook::InvalidArgument);
  CHECK_THROWS_AS(model.score_samples(bad, scores), secondlook::InvalidArgument);
  CHECK_THROWS_WITH(model.partial_fit(rows.leftCols(5).eval()),
                    Contains("expected 6 features, got 5"));
  CHECK_THROWS_AS(model.fit(rows.topRows(1).eval()), secondlook::InvalidArgument);
  std::vector<double> too_few(299);
  CHECK_THROWS_WITH(model.score_samples(rows, too_few),
                    Contains("expected an output of 300 values"));
  CHECK(scores_of(model, rows) == before);

  auto p = small();
  p.learning_rate = 1e30;
  Autoencoder diverging(p);
  CHECK_THROWS_WITH(diverging.fit(rows), Contains("diverged"));
  CHECK_FALSE(diverging.fitted());

  for (const auto& change : std::vector<std::function<void(AutoencoderParameters&)>>{
           [](auto& q) { q.hidden = {}; }, [](auto& q) { q.hidden = {0}; },
           [](auto& q) { q.dropout = 1; }, [](auto& q) { q.learning_rate = 0; },
           [](auto& q) { q.weight_decay = -1; }, [](auto& q) { q.batch_size = 1; },
           [](auto& q) { q.batch_size = ~std::size_t{0}; }, [](auto& q) { q.max_epochs = 0; },
           [](auto& q) { q.patience = 0; }, [](auto& q) { q.validation_fraction = 0.6; },
           [](auto& q) { q.contamination = 0; }, [](auto& q) { q.feature_weights = {1, -1}; },
           [](auto& q) { q.feature_weights = {0}; }}) {
    auto q = small();
    change(q);
    CHECK_THROWS_AS(Autoencoder(q), secondlook::InvalidArgument);
  }
}

TEST_CASE("Autoencoder: keeps the best epoch when cancelled") {
  auto p = small();
  p.max_epochs = 1000000;
  p.patience = 1000000;
  Autoencoder model(p);
  const auto rows = make_rows(2000, 1);
  int n_calls = 0;
  CHECK_THROWS_AS(model.fit(rows, [&](std::size_t, std::size_t) { return ++n_calls < 10; }),
                  secondlook::Cancelled);
  REQUIRE(model.fitted());
  CHECK(model.history().size() >= 2);
  CHECK(std::isfinite(scores_of(model, rows).front()));
}

TEST_CASE("Autoencoder: a damaged file raises ModelFileError") {
  Autoencoder model(small());
  model.fit(make_rows(300, 1));
  auto wrong = model.to_file();
  wrong.set_section("parameters", "{}");
  CHECK_THROWS_AS(Autoencoder::from_file(wrong), secondlook::ModelFileError);
  CHECK_THROWS_AS(Autoencoder::from_file(ModelFile("isolation_forest")),
                  secondlook::ModelFileError);
}
