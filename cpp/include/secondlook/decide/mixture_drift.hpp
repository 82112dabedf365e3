#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Whether live scores could come from the classes that were calibrated.
///
/// By the largest distance of the distribution functions (Kolmogorov & Smirnov). A guarantee for
/// each class holds for every mixture of them, so there more or fewer abnormal cases are no drift:
/// live scores are held against the mixture that comes nearest to them. The p-value takes that
/// mixture for given, which makes it larger than it need be; and where the classes overlap, a shift
/// of both can look like another mixture. Immutable.
class SECONDLOOK_EXPORT MixtureDrift {
 public:
  /// What is kept of a class: how many scores there were, and at most 512 of their quantiles,
  /// rising from the smallest to the largest.
  struct ScoresOfClass {
    std::int64_t count = 0;
    std::vector<double> quantiles;
  };

  /// @param scores of the calibration; finite
  /// @param labels as many; 1 is abnormal, 0 normal; some of both
  /// @throws InvalidArgument otherwise
  MixtureDrift(std::span<const double> scores, std::span<const std::uint8_t> labels);

  /// Goes on from what was kept.
  /// @throws InvalidArgument for what the other constructor never keeps
  MixtureDrift(ScoresOfClass normal, ScoresOfClass abnormal);

  /// @param scores live ones; finite, at least one
  /// @param any_mixture whether they may hold another fraction of abnormal cases than the
  /// calibration
  /// @returns probability that scores of the calibrated classes differ as much
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
