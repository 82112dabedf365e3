#pragma once

#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// From `low` to `high`, both included. NaN if undefined.
struct Interval {
  double low;
  double high;

  bool operator==(const Interval&) const = default;
};

/// An estimated value with its confidence interval.
struct Estimate {
  double value;
  Interval interval;

  bool operator==(const Estimate&) const = default;
};

template <FieldsOf<Estimate> T>
void for_each_field(T& e, auto&& use) {
  use("value", e.value);
  use("low", e.interval.low);
  use("high", e.interval.high);
}
template <>
inline constexpr bool is_written_as_list<Estimate> = true;

/// Exact confidence interval of a binomial proportion (Clopper & Pearson 1934): it covers the true
/// fraction with probability at least `confidence`, whatever that fraction is.
///
/// Each side errs with at most half of the remaining probability, so one side alone is a bound at
/// confidence (1 + confidence) / 2. Without any trial the interval is [0, 1].
/// @param n_successes from 0 to `n_trials`
/// @param confidence in (0, 1)
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT Interval binomial_interval(std::int64_t n_successes,
                                                           std::int64_t n_trials,
                                                           double confidence = 0.95);

}  // namespace secondlook
