#pragma once

#include <cstdint>
#include <span>

#include "secondlook/decide/binomial_interval.hpp"

namespace secondlook::decide {

/// Expected calibration error over 15 equal bins of [0, 1], as described in `BinaryMetrics`; NaN if
/// a score is outside [0, 1].
/// @param n_draws number of noise simulations for the interval; with 0 it is NaN
[[nodiscard]] Estimate calibration_error(std::span<const double> scores,
                                         std::span<const std::uint8_t> labels, double confidence,
                                         std::int64_t n_draws, std::uint64_t seed);

}  // namespace secondlook::decide
