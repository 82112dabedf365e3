#pragma once

#include <cstdint>
#include <span>

#include "secondlook/decide/binomial_interval.hpp"

namespace secondlook::decide {

/// Expected calibration error over 15 equal bins of [0, 1], as `BinaryMetrics` has it; NaN if a
/// score is no probability.
/// @param n_draws of the noise behind the interval; 0 leaves it NaN
[[nodiscard]] Estimate calibration_error(std::span<const double> scores,
                                         std::span<const std::uint8_t> labels, double confidence,
                                         std::int64_t n_draws, std::uint64_t seed);

}  // namespace secondlook::decide
