#include "secondlook/decide/binary_metrics.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/decide/ranking_curves.hpp"

using secondlook::binary_metrics;
using secondlook::RandomStream;

TEST_CASE("binary_metrics: values are those of the counts and of the curves") {
  RandomStream random(1);
  auto [scores, labels] = tied_cases(200, 11, random);
  for (double& score : scores) score /= 10;
  const auto found = binary_metrics(scores, labels, {.threshold = 0.3, .beta = 2});
  REQUIRE(found.confusion == secondlook::confusion_matrix(scores, labels, 0.3));
  REQUIRE(found.accuracy.value == found.confusion.accuracy());
  REQUIRE(found.precision.value == found.confusion.precision());
  REQUIRE(found.f_beta.value == found.confusion.f_beta(2));
  REQUIRE(found.matthews.value == found.confusion.matthews());
  REQUIRE(found.roc_auc.value == Approx(secondlook::roc_curve(scores, labels).area));
  REQUIRE(found.average_precision.value ==
          Approx(secondlook::precision_recall_curve(scores, labels).area));
  double squares = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    squares += (scores[i] - labels[i]) * (scores[i] - labels[i]);
  REQUIRE(found.brier.value == Approx(squares / 200));
  for (const auto& estimate : {found.recall, found.f_beta, found.roc_auc, found.brier}) {
    REQUIRE(estimate.interval.low < estimate.value);
    REQUIRE(estimate.interval.high > estimate.value);
  }
}

TEST_CASE("binary_metrics: the same at any number of threads") {
  RandomStream random(2);
  const auto [scores, labels] = normal_cases(300, 1, 3, random);
  const auto one = binary_metrics(scores, labels, {.n_bootstrap = 200, .seed = 5, .n_jobs = 1});
  const auto three = binary_metrics(scores, labels, {.n_bootstrap = 200, .seed = 5, .n_jobs = 3});
  REQUIRE(one.roc_auc == three.roc_auc);
  REQUIRE(one.matthews == three.matthews);
  REQUIRE(std::isnan(one.brier.value));  // the scores are not probabilities
}

TEST_CASE("binary_metrics: the interval of calibrated scores includes 0, that of others does not") {
  RandomStream random(3);
  std::vector<double> honest(500);
  std::vector<double> too_high(500);
  std::vector<std::uint8_t> labels(500);
  for (std::size_t i = 0; i < honest.size(); ++i) {
    honest[i] = random.uniform();
    too_high[i] = std::sqrt(honest[i]);  // by 1/6 on average
    labels[i] = random.uniform() < honest[i] ? 1 : 0;
  }
  const auto none = binary_metrics(honest, labels).expected_calibration_error;
  REQUIRE(none.interval.low == 0);
  REQUIRE(none.interval.high >= none.value);
  const auto some = binary_metrics(too_high, labels).expected_calibration_error;
  REQUIRE(some.interval.low > 0.05);
  REQUIRE(some.interval.low < 1.0 / 6);
  REQUIRE(some.interval.high > 1.0 / 6);
  // The measured error is 0, but the true one may not be.
  const auto unseen = binary_metrics(std::vector<double>(100, 0.0), std::vector<std::uint8_t>(100))
                          .expected_calibration_error;
  REQUIRE(unseen.value == 0);
  REQUIRE(unseen.interval.high > 0.02);
  REQUIRE(std::isnan(
      binary_metrics(honest, labels, {.n_bootstrap = 0}).expected_calibration_error.interval.low));
}

TEST_CASE("binary_metrics: reports invalid arguments, and stops when asked") {
  const std::vector<double> scores{0.1, 0.5};
  const std::vector<std::uint8_t> labels{0, 1};
  REQUIRE_THROWS_WITH(binary_metrics(scores, labels, {.beta = 0}),
                      "binary_metrics: beta must be above 0, got 0");
  REQUIRE_THROWS_AS(binary_metrics(scores, labels, {.confidence = 1}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(binary_metrics(scores, labels, {.n_bootstrap = -1}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(
      binary_metrics(scores, labels, {}, [](std::size_t, std::size_t) { return false; }),
      secondlook::Cancelled);
}
