#pragma once

#include <span>

#include "secondlook/core/export.hpp"

namespace secondlook {

struct TwoSampleTest {
  double statistic;  ///< largest distance between the two empirical distributions, in [0, 1]
  double p_value;    ///< probability of a distance at least as large under one distribution
};

/// Two-sided two-sample Kolmogorov–Smirnov test (Smirnov 1939) of whether two samples have the same
/// continuous distribution.
///
/// The p-value is exact for up to 4 million pairs, by counting lattice paths (Hodges 1958) in
/// O(n · m), and Stephens' approximation (1970) beyond. With ties it is conservative. The samples
/// must be independent; autocorrelated ones count for fewer than there are.
///
/// @throws InvalidArgument if a sample is empty or has a value that is not finite
[[nodiscard]] SECONDLOOK_EXPORT TwoSampleTest kolmogorov_smirnov(std::span<const double> a,
                                                                 std::span<const double> b);

}  // namespace secondlook
