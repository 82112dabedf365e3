#pragma once

#include <span>

#include "secondlook/core/export.hpp"

namespace secondlook {

struct TwoSampleTest {
  double statistic;  ///< largest distance of the two empirical distributions, in [0, 1]
  double p_value;    ///< probability of at least that, were both of one distribution
};

/// Whether two samples are of one continuous distribution: the two-sided two-sample
/// Kolmogorov–Smirnov test (Smirnov 1939).
///
/// The p-value is exact up to 4 million pairs, counted over lattice paths (Hodges 1958) in
/// O(n · m); beyond that Stephens' approximation (1970). With ties it is conservative. Samples have
/// to be independent: of consecutive instants that resemble each other, fewer count than there are.
///
/// @throws InvalidArgument when a sample is empty or not finite
[[nodiscard]] SECONDLOOK_EXPORT TwoSampleTest kolmogorov_smirnov(std::span<const double> a,
                                                                 std::span<const double> b);

}  // namespace secondlook
