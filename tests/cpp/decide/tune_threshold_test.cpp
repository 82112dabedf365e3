#include "secondlook/decide/tune_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"

using secondlook::confusion_matrix;
using secondlook::Objective;
using secondlook::RandomStream;
using secondlook::tune_threshold;
using secondlook::TuneThresholdParameters;

TEST_CASE("tune_threshold: no threshold that keeps the floors is better") {
  RandomStream random(static_cast<std::uint64_t>(GENERATE(range(1, 20))));
  const auto objective = GENERATE(Objective::accuracy, Objective::f_beta,
                                  Objective::balanced_accuracy, Objective::negative_cost);
  const auto [scores, labels] = tied_cases(30, 10, random);
  TuneThresholdParameters parameters{
      .maximize = objective, .costs = {.miss = 4}, .min_recall = 0.7};
  const auto value = [&](const secondlook::ConfusionMatrix& c) {
    switch (objective) {
      case Objective::accuracy:
        return c.accuracy();
      case Objective::f_beta:
        return c.f_beta();
      case Objective::balanced_accuracy:
        return c.balanced_accuracy();
      default:
        return -(4.0 * static_cast<double>(c.false_negatives) +
                 static_cast<double>(c.false_positives)) /
               static_cast<double>(c.total());
    }
  };
  const auto found = tune_threshold(scores, labels, parameters);
  REQUIRE(found.confusion == confusion_matrix(scores, labels, found.threshold));
  REQUIRE(found.confusion.recall() >= 0.7);
  REQUIRE(found.objective == value(found.confusion));
  for (const double cut : scores) {
    const auto counts = confusion_matrix(scores, labels, cut);
    if (counts.recall() < 0.7) continue;
    REQUIRE(value(counts) <= found.objective + 1e-12);  // with a tolerance for rounding
    if (value(counts) > found.objective - 1e-12) REQUIRE(cut >= found.threshold);
  }
}

TEST_CASE("tune_threshold: the lowest of equally good thresholds, despite rounding") {
  // Balanced accuracy is (1 + 0.2) / 2 at 0 and (0.8 + 0.4) / 2 at 1, which rounds differently.
  const std::vector<double> scores{0, 1, 1, 1, -1, 0, 1, 1, 1, 1};
  const std::vector<std::uint8_t> labels{0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  REQUIRE(tune_threshold(scores, labels, {.maximize = Objective::balanced_accuracy}).threshold ==
          0);
}

TEST_CASE("tune_threshold: a floor at a confidence needs more cases above it") {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 100; ++i) {
    scores.push_back(i);
    labels.push_back(i >= 50 ? 1 : 0);
  }
  scores[10] = 80;  // a normal case among the abnormal ones
  const auto plain = tune_threshold(scores, labels, {.min_specificity = 0.98});
  REQUIRE(plain.threshold == 50);
  REQUIRE_THROWS_AS(
      tune_threshold(scores, labels, {.min_specificity = 0.98, .floor_confidence = 0.9}),
      secondlook::InvalidArgument);
  const auto sure =
      tune_threshold(scores, labels, {.min_specificity = 0.95, .floor_confidence = 0.9});
  REQUIRE(sure.threshold == 81);  // 50 of 50: 0.95^50 < 0.1; 49 of 50 is not enough
}

TEST_CASE("tune_threshold: a bound equal to the floor keeps it, despite rounding") {
  // Of 2 k + 1 tosses of a coin at least k + 1 are heads with a probability of exactly one half.
  for (int k = 1; k <= 200; ++k) {
    const auto n_positives = static_cast<std::size_t>(k + 1);
    const std::vector<double> scores(2 * n_positives - 1, 1.0);
    std::vector<std::uint8_t> labels(scores.size(), 0);
    std::fill_n(labels.begin(), n_positives, std::uint8_t{1});
    const auto found =
        tune_threshold(scores, labels, {.min_precision = 0.5, .floor_confidence = 0.5});
    REQUIRE(found.threshold == 1);
  }
}

TEST_CASE("tune_threshold: reports invalid arguments") {
  const std::vector<double> scores{0.1, 0.2, 0.3, 0.4};
  const std::vector<std::uint8_t> labels{0, 1, 0, 1};
  REQUIRE_THROWS_WITH(
      tune_threshold(scores, labels, {.min_recall = 0.9, .min_precision = 0.9}),
      "tune_threshold: no threshold has recall of at least 0.9, precision of at least 0.9; the "
      "nearest, 0.2, has recall 1, precision 0.6667");
  REQUIRE_THROWS_WITH(tune_threshold(scores, labels, {.min_recall = 0.9, .floor_confidence = 0.75}),
                      "tune_threshold: no threshold has recall of at least 0.9, at a confidence of "
                      "0.75; the nearest, "
                      "0.1, has recall 1 (at least 0.5)");
  REQUIRE_THROWS_WITH(tune_threshold(scores, labels, {.min_recall = 90}),
                      "tune_threshold: floors must lie in [0, 1], got 90");
  REQUIRE_THROWS_AS(tune_threshold(scores, std::vector<std::uint8_t>(4, 1), {}),
                    secondlook::InvalidArgument);
}
