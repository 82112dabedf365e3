#pragma once

#include <cstdint>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Counts of cases by true class and decision; positive means abnormal. A measure is NaN if there
/// is nothing to divide by.
struct SECONDLOOK_EXPORT ConfusionMatrix {
  std::int64_t true_negatives = 0;
  std::int64_t false_positives = 0;  ///< false alarms
  std::int64_t false_negatives = 0;  ///< misses
  std::int64_t true_positives = 0;

  [[nodiscard]] std::int64_t total() const noexcept;
  [[nodiscard]] double accuracy() const noexcept;
  [[nodiscard]] double recall() const noexcept;       ///< TP / (TP + FN): sensitivity
  [[nodiscard]] double specificity() const noexcept;  ///< TN / (TN + FP)
  [[nodiscard]] double precision() const noexcept;    ///< TP / (TP + FP)
  /// (1 + β²) · TP / ((1 + β²) · TP + β² · FN + FP): recall weighs β times as much as precision.
  [[nodiscard]] double f_beta(double beta = 1) const noexcept;
  [[nodiscard]] double balanced_accuracy() const noexcept;  ///< mean of recall and specificity
  /// Correlation between true class and decision (Matthews 1975), in [−1, 1].
  [[nodiscard]] double matthews() const noexcept;

  bool operator==(const ConfusionMatrix&) const = default;
};

template <FieldsOf<ConfusionMatrix> T>
void for_each_field(T& c, auto&& use) {
  use("true_negatives", c.true_negatives);
  use("false_positives", c.false_positives);
  use("false_negatives", c.false_negatives);
  use("true_positives", c.true_positives);
}

/// Counts the right and wrong decisions on labelled scores when a score at or above `threshold` is
/// positive.
///
/// @param scores higher is more abnormal; finite, at least one
/// @param labels one per score; 1 is abnormal, 0 normal
/// @throws InvalidArgument otherwise, and if the threshold is NaN
[[nodiscard]] SECONDLOOK_EXPORT ConfusionMatrix confusion_matrix(
    std::span<const double> scores, std::span<const std::uint8_t> labels, double threshold);

}  // namespace secondlook
