#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// What each threshold would do: one point for every distinct score, and before them one above
/// which nothing is (threshold infinity). Thresholds fall, so that rates rise.
struct RocCurve {
  std::vector<double> thresholds;
  std::vector<double> false_alarm_rate;  ///< of the normal cases, 1 − specificity
  std::vector<double> recall;            ///< of the abnormal cases
  /// Area under the line through the points: the chance that an abnormal case scores above a
  /// normal one, ties counting half.
  double area;
};

/// Receiver operating characteristic of labelled scores. O(n log n).
///
/// @param scores higher is more abnormal; finite
/// @param labels as many; 1 is abnormal, 0 normal; some of both
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT RocCurve roc_curve(std::span<const double> scores,
                                                   std::span<const std::uint8_t> labels);

/// The same for precision, which has no value where nothing is decided positive: no point at
/// infinity.
struct PrecisionRecallCurve {
  std::vector<double> thresholds;  ///< falling
  std::vector<double> precision;
  std::vector<double> recall;
  /// Average precision: Σ precision · increase of recall, a step each and no interpolation, which
  /// would flatter (Davis & Goadrich 2006).
  double area;
};

/// Precision against recall of labelled scores. O(n log n). Arguments and errors as `roc_curve`.
[[nodiscard]] SECONDLOOK_EXPORT PrecisionRecallCurve
precision_recall_curve(std::span<const double> scores, std::span<const std::uint8_t> labels);

}  // namespace secondlook
