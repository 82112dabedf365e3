#include "secondlook/decide/ranking_curves.hpp"

#include <algorithm>

#include "decide/labelled_scores.hpp"

namespace secondlook {

namespace {

std::vector<decide::CountedThreshold> decreasing_thresholds(const decide::LabelledScores& scores) {
  std::vector<decide::CountedThreshold> thresholds;
  decide::for_each_threshold(
      scores, [&](const decide::CountedThreshold& threshold) { thresholds.push_back(threshold); });
  std::ranges::reverse(thresholds);
  return thresholds;
}

}  // namespace

RocCurve roc_curve(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  const decide::LabelledScores sorted("roc_curve", scores, labels);
  sorted.require_both_classes("roc_curve");
  const auto n = static_cast<double>(sorted.negatives.size());
  const auto p = static_cast<double>(sorted.positives.size());
  RocCurve curve{};
  double before_negatives = 0;
  double before_positives = 0;
  double twice_pairs = 0;  // a whole number, so that the area is exact
  for (const auto& threshold : decreasing_thresholds(sorted)) {
    const double negatives = n - static_cast<double>(threshold.negatives_below);
    const double positives = p - static_cast<double>(threshold.positives_below);
    curve.thresholds.push_back(threshold.value);
    curve.false_alarm_rate.push_back(negatives / n);
    curve.recall.push_back(positives / p);
    twice_pairs += (negatives - before_negatives) * (positives + before_positives);
    before_negatives = negatives;
    before_positives = positives;
  }
  curve.area = twice_pairs / (2 * n * p);
  return curve;
}

PrecisionRecallCurve precision_recall_curve(std::span<const double> scores,
                                            std::span<const std::uint8_t> labels) {
  const decide::LabelledScores sorted("precision_recall_curve", scores, labels);
  sorted.require_both_classes("precision_recall_curve");
  const auto all = static_cast<double>(sorted.size());
  const auto p = static_cast<double>(sorted.positives.size());
  PrecisionRecallCurve curve{};
  double before = 0;
  for (const auto& threshold : decreasing_thresholds(sorted)) {
    const double positives = p - static_cast<double>(threshold.positives_below);
    const double alarms =
        all - static_cast<double>(threshold.negatives_below + threshold.positives_below);
    if (alarms == 0) continue;
    curve.thresholds.push_back(threshold.value);
    curve.precision.push_back(positives / alarms);
    curve.recall.push_back(positives / p);
    curve.area += positives / alarms * (positives - before) / p;
    before = positives;
  }
  return curve;
}

}  // namespace secondlook
