#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Recall and false-alarm rate at each threshold: one point for the threshold infinity, then one
/// for every distinct score. Thresholds decrease, so the rates never fall.
struct RocCurve {
  std::vector<double> thresholds;
  std::vector<double> false_alarm_rate;  ///< fraction of the normal cases, 1 − specificity
  std::vector<double> recall;            ///< fraction of the abnormal cases
  /// Area under the line through the points: the probability that an abnormal case scores above a
  /// normal one, ties counting one half.
  double area;
};

/// Receiver operating characteristic of labelled scores. O(n log n).
///
/// @param scores higher is more abnormal; finite
/// @param labels one per score; 1 is abnormal, 0 normal; at least one of each
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT RocCurve roc_curve(std::span<const double> scores,
                                                   std::span<const std::uint8_t> labels);

/// Precision and recall at each threshold. Precision is undefined if nothing is decided positive,
/// so there is no point at infinity.
struct PrecisionRecallCurve {
  std::vector<double> thresholds;  ///< every distinct score, in decreasing order
  std::vector<double> precision;
  std::vector<double> recall;
  /// Average precision: Σ precision · increase in recall, without interpolation, which would be
  /// optimistic (Davis & Goadrich 2006).
  double area;
};

/// Precision against recall of labelled scores. O(n log n). Arguments and errors as `roc_curve`.
[[nodiscard]] SECONDLOOK_EXPORT PrecisionRecallCurve
precision_recall_curve(std::span<const double> scores, std::span<const std::uint8_t> labels);

}  // namespace secondlook
