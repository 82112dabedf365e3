#include "secondlook/decide/ranking_curves.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/decide/confusion_matrix.hpp"

using secondlook::confusion_matrix;
using secondlook::precision_recall_curve;
using secondlook::RandomStream;
using secondlook::roc_curve;

TEST_CASE(
    "roc_curve: each point is what its threshold does, the area the fraction of ranked pairs") {
  RandomStream random(GENERATE(1, 2, 3, 4));
  const auto [scores, labels] = tied_cases(40, 12, random);
  const auto curve = roc_curve(scores, labels);
  REQUIRE(curve.thresholds.front() == std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < curve.thresholds.size(); ++i) {
    const auto counts = confusion_matrix(scores, labels, curve.thresholds[i]);
    REQUIRE(curve.recall[i] == counts.recall());
    REQUIRE(curve.false_alarm_rate[i] == Approx(1 - counts.specificity()).margin(1e-12));
  }
  double ranked = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      ++pairs;
      ranked += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  REQUIRE(curve.area == Approx(ranked / pairs));
}

TEST_CASE("precision_recall_curve: points match their thresholds, the area is the sum of steps") {
  RandomStream random(GENERATE(1, 2, 3, 4));
  const auto [scores, labels] = tied_cases(40, 12, random);
  const auto curve = precision_recall_curve(scores, labels);
  double area = 0;
  for (std::size_t i = 0; i < curve.thresholds.size(); ++i) {
    const auto counts = confusion_matrix(scores, labels, curve.thresholds[i]);
    REQUIRE(curve.recall[i] == counts.recall());
    REQUIRE(curve.precision[i] == counts.precision());
    area += curve.precision[i] * (curve.recall[i] - (i == 0 ? 0 : curve.recall[i - 1]));
  }
  REQUIRE(curve.recall.back() == 1);
  REQUIRE(curve.area == Approx(area));
}

TEST_CASE("ranking curves: need both classes") {
  const std::vector<double> scores{0.1, 0.5};
  const std::vector<std::uint8_t> labels{1, 1};
  REQUIRE_THROWS_WITH(roc_curve(scores, labels),
                      "roc_curve: expected labels of both classes, got 2 positive and 0 negative");
  REQUIRE_THROWS_AS(precision_recall_curve(scores, labels), secondlook::InvalidArgument);
}
