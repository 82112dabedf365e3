#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Which of many hypotheses to reject, such that the expected fraction of wrong rejections is at
/// most `false_discovery_rate` (Benjamini & Hochberg 1995).
///
/// Rejects the i smallest p-values for the largest i with p_(i) ≤ i · rate / (m · null_fraction).
/// Valid for independent p-values and for positively dependent ones, such as conformal p-values
/// from one calibration set (Bates et al. 2023).
///
/// @param p_values in [0, 1], at least one
/// @param false_discovery_rate in (0, 1)
/// @param null_fraction fraction of true null hypotheses, above 0: 1, or `storey_null_fraction`
/// @returns for each hypothesis 1 if it is rejected, else 0
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT std::vector<std::uint8_t> benjamini_hochberg(
    std::span<const double> p_values, double false_discovery_rate, double null_fraction = 1);

/// Estimated fraction of true null hypotheses, (1 + #{p > cut}) / (m · (1 − cut)) (Storey, Taylor &
/// Siegmund 2004); may exceed 1. With it, Benjamini–Hochberg finds more if many samples are
/// abnormal.
/// @param p_values in [0, 1], at least one
/// @param cut in (0, 1)
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT double storey_null_fraction(std::span<const double> p_values,
                                                            double cut = 0.5);

}  // namespace secondlook
