#pragma once

#include <optional>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Conformal p-values of scores, relative to scores of normal samples (Bates et al. 2023).
///
/// p(s) = (1 + #{calibration scores ≥ s}) / (n + 1): small is abnormal. If a new normal sample is
/// exchangeable with the n calibration samples, P(p ≤ u) ≤ u for every u, on average over
/// calibration sets, and Benjamini–Hochberg on several p-values controls the false-discovery rate.
///
/// With `confidence`, the p-values are enlarged such that, with this probability over calibration
/// sets, P(p ≤ u) ≤ u holds for every u with the calibration set at hand (the authors' Simes
/// adjustment, of order n / 2). Immutable.
class SECONDLOOK_EXPORT ConformalPValues {
 public:
  /// @param calibration scores of normal samples that the detector was not trained on, higher is
  ///   more abnormal; finite, at least one
  /// @param confidence in (0, 1), or none; it requires at least two scores
  /// @throws InvalidArgument otherwise
  explicit ConformalPValues(std::span<const double> calibration,
                            std::optional<double> confidence = std::nullopt);

  /// P-value of each score. O(log n) each.
  /// @throws InvalidArgument if there is no score or one is not finite
  [[nodiscard]] std::vector<double> p_values(std::span<const double> scores) const;

  /// Calibration scores, ascending.
  [[nodiscard]] const std::vector<double>& calibration() const noexcept { return calibration_; }
  [[nodiscard]] std::optional<double> confidence() const noexcept { return confidence_; }

 private:
  std::vector<double> calibration_;
  std::optional<double> confidence_;
  std::vector<double> by_count_;  // p-value by the number of calibration scores as large
};

}  // namespace secondlook
