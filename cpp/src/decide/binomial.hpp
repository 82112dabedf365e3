#pragma once

#include <cstddef>

namespace secondlook::decide {

/// P(X ≤ k) for X binomial with n trials of probability p; k may be −1 (then 0).
[[nodiscard]] double binomial_cdf(double k, double n, double p);

/// Largest k with P(X < k) ≤ risk, for X binomial with n trials of probability `rate`.
///
/// So the probability over calibration sets that the k-th of n scores, counted from the end, is
/// exceeded more often than `rate` is at most `risk` (Wilks 1941). O(k).
[[nodiscard]] std::size_t tolerance_rank(std::size_t n, double rate, double risk);

/// Smallest number of scores for which `tolerance_rank` is at least 1.
[[nodiscard]] double fewest_for_tolerance(double rate, double risk);

}  // namespace secondlook::decide
