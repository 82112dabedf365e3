#pragma once

#include <cstddef>

namespace secondlook::decide {

/// P(X ≤ k) for X binomial with n trials of probability p; k may be −1 (then 0).
[[nodiscard]] double binomial_cdf(double k, double n, double p);

/// Largest k with P(X < k) ≤ risk, for X binomial with n trials of probability `rate`.
///
/// So of n scores the k-th from the end is passed more often than `rate` with at most that
/// probability over calibrations (Wilks 1941). Summed in whole counts; O(k).
[[nodiscard]] std::size_t tolerance_rank(std::size_t n, double rate, double risk);

/// Fewest scores for which `tolerance_rank` is at least 1.
[[nodiscard]] double fewest_for_tolerance(double rate, double risk);

}  // namespace secondlook::decide
