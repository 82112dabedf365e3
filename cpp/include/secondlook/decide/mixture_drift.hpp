#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Tests whether live scores could come from the classes of the calibration set.
///
/// The statistic is the largest distance between the distribution functions (Kolmogorov & Smirnov).
/// A class-conditional guarantee holds for every mixture of the classes, so a different fraction of
/// abnormal cases is not a drift: the live scores are compared with the nearest mixture. The
/// p-value treats that mixture as known, which makes it larger than necessary; and if the scores of
/// the classes overlap, a shift of both can look like another mixture. Immutable.
class SECONDLOOK_EXPORT MixtureDrift {
 public:
  /// Summary of the scores of a class: their number and at most 512 of their quantiles, ascending
  /// from the smallest to the largest score.
  struct ScoresOfClass {
    std::int64_t count = 0;
    std::vector<double> quantiles;
  };

  /// @param scores of the calibration set; finite
  /// @param labels one per score; 1 is abnormal, 0 normal; at least one of each
  /// @throws InvalidArgument otherwise
  MixtureDrift(std::span<const double> scores, std::span<const std::uint8_t> labels);

  /// Restores a test from its summaries.
  /// @throws InvalidArgument if a summary is inconsistent
  MixtureDrift(ScoresOfClass normal, ScoresOfClass abnormal);

  /// @param scores live scores; finite, at least one
  /// @param any_mixture whether the fraction of abnormal cases may differ from that of the
  ///   calibration set
  /// @returns probability that scores of the calibrated classes differ at least as much
  /// @throws InvalidArgument otherwise
  [[nodiscard]] double p_value(std::span<const double> scores, bool any_mixture = true) const;

  [[nodiscard]] const ScoresOfClass& normal() const noexcept { return normal_; }
  [[nodiscard]] const ScoresOfClass& abnormal() const noexcept { return abnormal_; }

 private:
  ScoresOfClass normal_;
  ScoresOfClass abnormal_;
};

template <FieldsOf<MixtureDrift::ScoresOfClass> T>
void for_each_field(T& m, auto&& use) {
  use("count", m.count);
  use("quantiles", m.quantiles);
}

}  // namespace secondlook
