#include "secondlook/detect/isolation_forest.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/eigen.hpp"

using secondlook::EigenMatrix;
using secondlook::Index;
using secondlook::IsolationForest;
using secondlook::IsolationForestParameters;
using secondlook::MatrixView;
using secondlook::RandomStream;
using secondlook::SparseView;

namespace {

template <class Scalar = float>
EigenMatrix<Scalar> gaussian(Index rows, Index cols, std::uint64_t seed) {
  RandomStream random(seed);
  EigenMatrix<Scalar> x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) {
    double sum = -6;
    for (int k = 0; k < 12; ++k) sum += random.uniform();
    x.data()[i] = static_cast<Scalar>(static_cast<float>(sum));
  }
  return x;
}

template <class Scalar>
std::vector<double> scores_of(const IsolationForest& forest, const EigenMatrix<Scalar>& x) {
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  forest.score_samples(MatrixView<Scalar>(x), scores);
  return scores;
}

IsolationForest fitted(const EigenMatrix<float>& x, IsolationForestParameters parameters = {}) {
  IsolationForest forest(parameters);
  forest.fit(MatrixView<float>(x));
  return forest;
}

}  // namespace

TEST_CASE("IsolationForest: an outlier scores lowest") {
  const auto seed = GENERATE(range(0, 5));
  auto x = gaussian(1000, 5, 100 + seed);
  x.row(17).setConstant(9);
  const auto scores = scores_of(fitted(x, {.seed = static_cast<std::uint64_t>(seed)}), x);
  REQUIRE(std::min_element(scores.begin(), scores.end()) - scores.begin() == 17);
  for (const double score : scores) REQUIRE((score >= -1 && score < 0));
}

TEST_CASE("IsolationForest: a row's score does not depend on the other rows") {
  // Few rows and many rows use different kernels, and groups are padded; the scores must be
  // identical.
  const auto max_samples = GENERATE(1U, 2U, 5U, 33U, 256U, 5000U);
  const auto cols = GENERATE(1, 3, 40);
  const auto x = gaussian(5003, cols, 3);
  const auto forest = fitted(x, {.n_estimators = 13, .max_samples = max_samples, .seed = 1});
  const auto all = scores_of(forest, x);
  for (const Index first : {0, 1, 1000, 5002}) {
    for (const Index count : {1, 7, 8, 17, 300}) {
      if (first + count > x.rows()) continue;
      const EigenMatrix<float> part = x.middleRows(first, count);
      const auto scores = scores_of(forest, part);
      for (std::size_t i = 0; i < scores.size(); ++i)
        REQUIRE(scores[i] == all[static_cast<std::size_t>(first) + i]);
    }
  }
}

TEST_CASE("IsolationForest: identical scores with any number of threads") {
  const auto x = gaussian(5000, 6, 5);
  const IsolationForestParameters one{.contamination = 0.1, .seed = 11, .n_jobs = 1};
  auto four = one;
  four.n_jobs = 4;
  const auto a = fitted(x, one);
  const auto b = fitted(x, four);
  REQUIRE(scores_of(a, x) == scores_of(b, x));
  REQUIRE(a.offset() == b.offset());
}

TEST_CASE("IsolationForest: float32 and float64 agree on equal values") {
  const auto x = gaussian<float>(700, 4, 6);
  const EigenMatrix<double> wide = x.cast<double>();
  const auto from_float = fitted(x, {.seed = 2});
  IsolationForest from_double({.seed = 2});
  from_double.fit(MatrixView<double>(wide));
  REQUIRE(scores_of(from_float, x) == scores_of(from_double, wide));
}

TEST_CASE("IsolationForest: contamination is the fraction of training rows below the offset") {
  const auto contamination = GENERATE(0.01, 0.1, 0.5);
  const auto x = gaussian(2000, 3, 8);
  const auto forest = fitted(x, {.contamination = contamination, .seed = 3});
  std::size_t below = 0;
  for (const double score : scores_of(forest, x)) below += score < forest.offset();
  REQUIRE(static_cast<double>(below) / 2000 == Approx(contamination).margin(0.001));
}

TEST_CASE("IsolationForest: constant columns are never split on") {
  auto x = gaussian(500, 6, 9);
  for (const int constant : {0, 2, 3, 5}) x.col(constant).setConstant(4);
  const auto forest = fitted(x, {.seed = 4});
  std::vector<double> contributions(static_cast<std::size_t>(x.size()));
  forest.feature_contributions(MatrixView<float>(x), contributions);
  const MatrixView<double> view(contributions.data(), x.rows(), x.cols());
  for (const int constant : {0, 2, 3, 5})
    REQUIRE(as_eigen(view).col(constant).cwiseAbs().maxCoeff() == 0);
  REQUIRE(as_eigen(view).col(1).cwiseAbs().maxCoeff() > 0);
}

TEST_CASE("IsolationForest: equal rows have equal scores") {
  const EigenMatrix<float> x = EigenMatrix<float>::Constant(50, 3, 2.5F);
  const auto forest = fitted(x, {.seed = 5});
  for (const double score : scores_of(forest, x)) REQUIRE(score == Approx(-0.5));
}

TEST_CASE("IsolationForest: a missing value follows the larger branch only with route_missing") {
  auto x = gaussian(1000, 3, 10);
  x.row(5).setZero();  // in the centre of the data
  x(5, 1) = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(fitted(x),
                      "IsolationForest::fit: expected finite values, got NaN in row 5, column 1");

  const IsolationForestParameters route{.route_missing = true, .seed = 6};
  const auto forest = fitted(x, route);
  const auto scores = scores_of(forest, x);
  // As missing values follow the majority, a gap does not make a row an outlier.
  REQUIRE(scores[5] > -0.5);

  x.col(2).setConstant(std::numeric_limits<float>::quiet_NaN());
  for (const double score : scores_of(fitted(x, route), x)) REQUIRE((score >= -1 && score < 0));
}

TEST_CASE("IsolationForest: without missing values routing changes nothing") {
  const auto x = gaussian(1000, 3, 12);
  REQUIRE(scores_of(fitted(x, {.seed = 7}), x) ==
          scores_of(fitted(x, {.route_missing = true, .seed = 7}), x));
}

TEST_CASE("IsolationForest: values beyond the range of float32 saturate") {
  EigenMatrix<double> x = gaussian<double>(300, 2, 13);
  x(0, 0) = 1e300;
  x(1, 0) = -1e300;
  IsolationForest forest({.seed = 8});
  forest.fit(MatrixView<double>(x));
  const auto scores = scores_of(forest, x);
  REQUIRE(scores[0] < -0.5);
  REQUIRE(scores[1] < -0.5);
}

TEST_CASE("IsolationForest: partial_fit collects rows, then replaces the oldest trees") {
  const auto x = gaussian(2000, 4, 14);
  IsolationForest forest({.n_estimators = 20, .contamination = 0.1, .seed = 9});
  const MatrixView<float> rows = x;
  forest.partial_fit(rows.middle_rows(0, 255));
  REQUIRE_FALSE(forest.fitted());
  REQUIRE(forest.n_pending() == 255);
  REQUIRE_THROWS_WITH(scores_of(forest, x),
                      "IsolationForest::score_samples: not fitted yet, partial_fit has gathered "
                      "255 of 256 rows");
  forest.partial_fit(rows.middle_rows(255, 1));
  REQUIRE(forest.fitted());
  REQUIRE(forest.n_pending() == 0);
  REQUIRE(forest.offset_is_stale());
  forest.fit_offset(rows);
  REQUIRE_FALSE(forest.offset_is_stale());

  const auto before = scores_of(forest, x);
  forest.partial_fit(rows.middle_rows(256, 200));
  REQUIRE(scores_of(forest, x) == before);
  REQUIRE_FALSE(forest.offset_is_stale());
  forest.partial_fit(rows.middle_rows(456, 100));
  REQUIRE(forest.n_pending() == 44);
  REQUIRE(scores_of(forest, x) != before);
  REQUIRE(forest.offset_is_stale());
}

TEST_CASE("IsolationForest: the sizes of the batches passed to partial_fit do not matter") {
  const auto x = gaussian(1500, 3, 15);
  const MatrixView<float> rows = x;
  IsolationForest at_once({.seed = 10});
  at_once.partial_fit(rows);
  IsolationForest in_pieces({.seed = 10});
  const auto piece = GENERATE(1, 100, 256, 700);
  for (Index i = 0; i < x.rows(); i += piece)
    in_pieces.partial_fit(rows.middle_rows(i, std::min<Index>(piece, x.rows() - i)));
  REQUIRE(scores_of(at_once, x) == scores_of(in_pieces, x));
}

TEST_CASE("IsolationForest: partial_fit forgets an old regime after enough new rows") {
  auto x = gaussian(256 * 12, 3, 16);
  IsolationForest forest({.seed = 11});
  forest.fit(MatrixView<float>(x));
  EigenMatrix<float> shifted = x;
  shifted.array() += 20;
  const auto mean = [](const std::vector<double>& scores) {
    return std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  };
  const double before = mean(scores_of(forest, shifted));
  forest.partial_fit(MatrixView<float>(shifted));
  REQUIRE(mean(scores_of(forest, shifted)) > before + 0.1);
  REQUIRE(mean(scores_of(forest, shifted)) > mean(scores_of(forest, x)));
}

TEST_CASE("IsolationForest: a merged forest scores as the mean path length of its parts") {
  const auto x = gaussian(3000, 4, 17);
  const MatrixView<float> rows = x;
  IsolationForest a({.n_estimators = 40, .seed = 1});
  IsolationForest b({.n_estimators = 60, .seed = 2});
  a.fit(rows.middle_rows(0, 1500));
  b.fit(rows.middle_rows(1500, 1500));
  const auto score_a = scores_of(a, x);
  const auto score_b = scores_of(b, x);
  a.merge(b);
  REQUIRE(a.n_trees() == 100);
  const auto merged = scores_of(a, x);
  for (std::size_t i = 0; i < merged.size(); ++i) {
    const double length = 0.4 * std::log2(-score_a[i]) + 0.6 * std::log2(-score_b[i]);
    REQUIRE(merged[i] == Approx(-std::exp2(length)).epsilon(1e-12));
  }
}

TEST_CASE("IsolationForest: merge rejects incompatible forests") {
  const auto x = gaussian(300, 4, 18);
  const EigenMatrix<float> narrow = x.leftCols(3);
  auto forest = fitted(x);
  REQUIRE_THROWS_WITH(forest.merge(fitted(narrow)),
                      "IsolationForest::merge: expected a forest over 4 features, got 3");
  REQUIRE_THROWS_WITH(
      forest.merge(fitted(x, {.max_samples = 64})),
      "IsolationForest::merge: expected a forest grown on 256 rows per tree, got 64");
  REQUIRE_THROWS_AS(forest.merge(IsolationForest()), secondlook::NotFitted);
  REQUIRE_THROWS_AS(forest.merge(fitted(x, {.route_missing = true})), secondlook::InvalidArgument);
}

TEST_CASE("IsolationForest: cancelled training leaves the model unchanged") {
  const auto x = gaussian(3000, 4, 19);
  auto forest = fitted(x, {.contamination = 0.1});
  const auto before = scores_of(forest, x);
  const auto stop = [](std::size_t, std::size_t) { return false; };
  REQUIRE_THROWS_AS(forest.fit(MatrixView<float>(x), stop), secondlook::Cancelled);
  REQUIRE_THROWS_AS(forest.partial_fit(MatrixView<float>(x), stop), secondlook::Cancelled);
  REQUIRE(scores_of(forest, x) == before);
  REQUIRE(forest.n_pending() == 0);
}

TEST_CASE("IsolationForest: a hundred trees over 256 rows stay under a megabyte") {
  REQUIRE(fitted(gaussian(5000, 14, 20)).memory_bytes() < 1'000'000);
}

TEST_CASE("IsolationForest: errors describe the invalid input") {
  const auto x = gaussian(100, 4, 21);
  const auto forest = fitted(x);
  REQUIRE_THROWS_WITH(scores_of(forest, EigenMatrix<float>(x.leftCols(3))),
                      "IsolationForest::score_samples: expected 4 features, got 3");
  REQUIRE_THROWS_WITH(scores_of(IsolationForest(), x),
                      "IsolationForest::score_samples: not fitted yet, call fit first");
  REQUIRE_THROWS_WITH(fitted(EigenMatrix<float>(0, 4)),
                      "IsolationForest::fit: expected at least 1 sample, got 0");
  REQUIRE_THROWS_WITH(fitted(x, {.max_features = 5}),
                      "IsolationForest::fit: expected at least max_features = 5 features, got 4");
  REQUIRE_THROWS_WITH(IsolationForest({.n_estimators = 0}),
                      "IsolationForest: n_estimators must be at least 1, got 0");
  REQUIRE_THROWS_WITH(IsolationForest({.contamination = 0.7}),
                      "IsolationForest: contamination must lie in (0, 0.5], got 0.7");
  std::vector<double> too_few(99);
  REQUIRE_THROWS_WITH(forest.score_samples(MatrixView<float>(x), too_few),
                      "IsolationForest::score_samples: expected an output of 100 scores, got 99");
}

TEST_CASE("IsolationForest: equal rows contain no anomaly") {
  const int n = GENERATE(1, 2, 5, 30, 100, 250, 257, 1000);
  const double value = GENERATE(0.0, 21.5, 0.1, -1e9);
  IsolationForestParameters parameters;
  parameters.n_estimators = 77;
  if (n % 2 == 0) parameters.contamination = 0.1;
  IsolationForest forest(parameters);
  const EigenMatrix<double> x = EigenMatrix<double>::Constant(n, 3, value);
  forest.fit(x);
  for (const double score : scores_of(forest, x)) CHECK(score == -0.5);
  for (const double score : scores_of(forest, EigenMatrix<double>(x.topRows(1))))
    CHECK(score == -0.5);
  CHECK(forest.offset() == -0.5);
}

// --- sparse rows, weights, bootstrap, warm start

namespace {

// A matrix in compressed rows, which owns its values.
template <class Scalar>
struct Sparse {
  explicit Sparse(const EigenMatrix<Scalar>& x) : cols(x.cols()) {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < x.cols(); ++j) {
        if (x(i, j) == 0) continue;
        columns.push_back(static_cast<std::int32_t>(j));
        values.push_back(x(i, j));
      }
      starts.push_back(static_cast<std::int64_t>(values.size()));
    }
  }

  [[nodiscard]] SparseView<Scalar> view() const { return {cols, starts, columns, values}; }

  Index cols;
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> columns;
  std::vector<Scalar> values;
};

template <class Scalar>
EigenMatrix<Scalar> mostly_zero(Index rows, Index cols, double share, std::uint64_t seed) {
  auto x = gaussian<Scalar>(rows, cols, seed);
  RandomStream random(seed, 1);
  for (Index i = 0; i < x.size(); ++i)
    if (random.uniform() >= share) x.data()[i] = 0;
  return x;
}

template <class Scalar>
std::vector<double> scores_of(const IsolationForest& forest, const Sparse<Scalar>& x) {
  std::vector<double> scores(x.starts.size() - 1);
  forest.score_samples(x.view(), scores);
  return scores;
}

}  // namespace

TEMPLATE_TEST_CASE("IsolationForest: sparse rows give the forest and the scores of the dense ones",
                   "", float, double) {
  const auto max_samples = GENERATE(16U, 256U, 5000U);
  const auto cols = GENERATE(1, 7, 400);
  const bool bootstrap = GENERATE(false, true);
  const auto x = mostly_zero<TestType>(5003, cols, 0.05, 3);
  const Sparse<TestType> sparse(x);
  const IsolationForestParameters parameters{.n_estimators = 8,
                                             .max_samples = max_samples,
                                             .contamination = 0.1,
                                             .bootstrap = bootstrap,
                                             .seed = 5};
  IsolationForest dense_forest(parameters);
  dense_forest.fit(MatrixView<TestType>(x));
  IsolationForest sparse_forest(parameters);
  sparse_forest.fit(sparse.view());
  REQUIRE(sparse_forest.offset() == dense_forest.offset());
  const auto scores = scores_of(dense_forest, x);
  REQUIRE(scores_of(sparse_forest, sparse) == scores);
  REQUIRE(scores_of(sparse_forest, x) == scores);
}

TEST_CASE("IsolationForest: missing values of sparse rows are routed as those of dense ones") {
  auto x = mostly_zero<float>(600, 9, 0.3, 4);
  for (Index i = 0; i < x.size(); i += 13) x.data()[i] = std::numeric_limits<float>::quiet_NaN();
  const Sparse<float> sparse(x);
  IsolationForest forest({.n_estimators = 20, .route_missing = true, .seed = 2});
  REQUIRE_THROWS_WITH(IsolationForest().fit(sparse.view()),
                      Catch::Matchers::Contains("NaN in row 0"));
  forest.fit(sparse.view());
  REQUIRE(scores_of(forest, sparse) ==
          scores_of(fitted(x, {.n_estimators = 20, .route_missing = true, .seed = 2}), x));
}

TEST_CASE("IsolationForest: sparse rows that are not in order are refused") {
  const std::vector<float> values{1, 2, 3};
  const auto fit = [&](Index cols, const std::vector<std::int64_t>& starts,
                       const std::vector<std::int32_t>& columns) {
    IsolationForest().fit(SparseView<float>{cols, starts, columns, values});
  };
  REQUIRE_NOTHROW(fit(3, {0, 2, 3}, {0, 2, 1}));
  REQUIRE_THROWS_WITH(fit(3, {}, {0, 2, 1}), Catch::Matchers::Contains("at least 1 sample, got 0"));
  REQUIRE_THROWS_WITH(fit(0, {0, 2, 3}, {0, 2, 1}),
                      Catch::Matchers::Contains("at least 1 feature"));
  REQUIRE_THROWS_WITH(fit(3, {0, 2, 3}, {2, 0, 1}),
                      Catch::Matchers::Contains("increasing columns below 3"));
  REQUIRE_THROWS_WITH(fit(3, {0, 2, 3}, {1, 1, 1}), Catch::Matchers::Contains("got 1 after 1"));
  REQUIRE_THROWS_WITH(fit(2, {0, 2, 3}, {0, 2, 1}), Catch::Matchers::Contains("got 2 after 0"));
  REQUIRE_THROWS_WITH(fit(3, {0, 2, 3}, {-1, 2, 1}), Catch::Matchers::Contains("got -1"));
  REQUIRE_THROWS_WITH(fit(3, {0, 2}, {0, 2, 1}), Catch::Matchers::Contains("rows from 0 to 2"));
  REQUIRE_THROWS_WITH(fit(3, {0, 9, 3}, {0, 2, 1}),
                      Catch::Matchers::Contains("row 0 to end in [0, 3]"));
  REQUIRE_THROWS_WITH(fit(3, {0, 2, 1, 3}, {0, 2, 1}),
                      Catch::Matchers::Contains("row 1 to end in [2, 3]"));
  REQUIRE_THROWS_WITH(fit(3, {0, 2, 3}, {0, 2}), Catch::Matchers::Contains("got 2 columns"));
}

TEST_CASE("IsolationForest: rows of weight 0 are as if they were not there") {
  auto x = gaussian(2000, 3, 8);
  std::vector<double> weights(2000, 1);
  for (std::size_t i = 0; i < 500; ++i) {
    x.row(static_cast<Index>(i)).setConstant(50);
    weights[i] = 0;
  }
  IsolationForest forest({.contamination = 0.1, .seed = 1});
  forest.fit(MatrixView<float>(x), {.sample_weight = weights});
  const auto scores = scores_of(forest, x);
  std::size_t n_below = 0;
  for (std::size_t i = 500; i < 2000; ++i) n_below += scores[i] < forest.offset();
  REQUIRE(n_below == 149);  // the offset is the score of the 150th
  REQUIRE(scores[0] < forest.offset());
}

TEST_CASE("IsolationForest: weights are checked") {
  const auto x = gaussian(10, 2, 1);
  const auto fit = [&](const std::vector<double>& weights) {
    IsolationForest().fit(MatrixView<float>(x), {.sample_weight = weights});
  };
  REQUIRE_THROWS_WITH(fit(std::vector<double>(9, 1)),
                      Catch::Matchers::Contains("each of 10 rows, got 9"));
  REQUIRE_THROWS_WITH(fit(std::vector<double>(10, 0)),
                      Catch::Matchers::Contains("finite sum above zero"));
  REQUIRE_THROWS_WITH(fit(std::vector<double>(10, -1)),
                      Catch::Matchers::Contains("at least 0, got -1"));
  REQUIRE_THROWS_WITH(fit(std::vector<double>(10, std::nan(""))),
                      Catch::Matchers::Contains("got nan"));
}

TEST_CASE("IsolationForest: a warm start gives the trees of one fit") {
  const auto x = gaussian(1000, 4, 2);
  const auto first = fitted(x, {.n_estimators = 7, .seed = 3});
  IsolationForest warm({.n_estimators = 20, .contamination = 0.05, .seed = 3});
  warm.fit(MatrixView<float>(x), {.warm_start = &first});
  const auto once = fitted(x, {.n_estimators = 20, .contamination = 0.05, .seed = 3});
  REQUIRE(scores_of(warm, x) == scores_of(once, x));
  REQUIRE(warm.offset() == once.offset());
  REQUIRE(first.n_trees() == 7);
}

TEST_CASE("IsolationForest: a warm start from a forest that does not fit is refused") {
  const auto x = gaussian(300, 4, 2);
  const auto first = fitted(x, {.n_estimators = 7});
  const auto start = [&](const EigenMatrix<float>& rows, IsolationForestParameters parameters,
                         const IsolationForest& from) {
    IsolationForest(parameters).fit(MatrixView<float>(rows), {.warm_start = &from});
  };
  REQUIRE_THROWS_WITH(start(x, {.n_estimators = 6}, first),
                      Catch::Matchers::Contains("at least 7"));
  REQUIRE_THROWS_WITH(start(gaussian(300, 3, 2), {}, first),
                      Catch::Matchers::Contains("over 3 features"));
  REQUIRE_THROWS_WITH(start(gaussian(100, 4, 2), {}, first),
                      Catch::Matchers::Contains("on 100 rows"));
  REQUIRE_THROWS_WITH(start(x, {.route_missing = true}, first),
                      Catch::Matchers::Contains("missing values"));
  REQUIRE_THROWS_WITH(start(x, {}, IsolationForest()), Catch::Matchers::Contains("not fitted yet"));
}
