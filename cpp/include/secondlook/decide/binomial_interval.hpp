#pragma once

#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// From `low` to `high`, both included. NaN where there is nothing to say.
struct Interval {
  double low;
  double high;

  bool operator==(const Interval&) const = default;
};

/// A value on the cases at hand, and between what it may lie on others like them.
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

/// Exact interval of a fraction of which `n_successes` of `n_trials` are known (Clopper & Pearson
/// 1934): it covers the true fraction with probability `confidence` at least, whatever that is.
///
/// Each side errs with at most half the remaining probability, so one side alone is a bound at
/// (1 + confidence) / 2. From 0 to 1 where nothing was tried.
/// @param n_successes from 0 to `n_trials`
/// @param confidence in (0, 1)
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT Interval binomial_interval(std::int64_t n_successes,
                                                           std::int64_t n_trials,
                                                           double confidence = 0.95);

}  // namespace secondlook
