#include "series/clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr std::int64_t kDay = 86'400'000'000'000;
constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

// The sum, saturated to 64 bits; times and offsets from files are far from the limits.
std::int64_t shifted(std::int64_t time_ns, std::int64_t by_ns) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(time_ns, by_ns, &sum)) return time_ns < 0 ? kFirst : kLast;
  return sum;
}

}  // namespace

Clock::Clock(std::span<const ClockOffset> offsets) : offsets_(offsets.begin(), offsets.end()) {
  require(!offsets.empty(), "Clock: expected at least 1 offset, got 0");
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    require(std::abs(offsets[i].offset_ns) < kDay,
            "Clock: expected offsets from UTC within a day, got {} ns", offsets[i].offset_ns);
    require(i < 2 || offsets[i].since_ns > shifted(offsets[i - 1].since_ns, 2 * kDay),
            "Clock: expected changes more than two days apart, got {} ns after {} ns",
            offsets[i].since_ns, offsets[i < 2 ? 0 : i - 1].since_ns);
  }
  offsets_[0].since_ns = kFirst;
}

bool Clock::holds(std::size_t i, std::int64_t utc_ns) const noexcept {
  return i < offsets_.size() && utc_ns >= offsets_[i].since_ns &&
         (i + 1 == offsets_.size() || utc_ns < offsets_[i + 1].since_ns);
}

Clock::Reading Clock::read(std::int64_t local_ns) const noexcept {
  // Tries the offset that would hold if the local time were UTC, and its neighbours. That is
  // enough, since changes are further apart than offsets are large.
  const auto next = std::ranges::upper_bound(offsets_, local_ns, {}, &ClockOffset::since_ns);
  const auto near = static_cast<std::size_t>(next - offsets_.begin()) - 1;
  Reading reading{Shown::never};
  for (std::size_t i = near > 0 ? near - 1 : 0; i <= near + 1; ++i) {
    if (i >= offsets_.size() || !holds(i, shifted(local_ns, -offsets_[i].offset_ns))) continue;
    if (reading.shown == Shown::once) return {Shown::twice, offsets_[i - 1].offset_ns, i - 1};
    const std::int64_t offset = offsets_[i].offset_ns;
    reading = {Shown::once, offset, 0, kFirst, kLast};
    if (i > 0)
      reading.begin_ns = shifted(offsets_[i].since_ns, std::max(offset, offsets_[i - 1].offset_ns));
    if (i + 1 < offsets_.size())
      reading.end_ns =
          shifted(offsets_[i + 1].since_ns, std::min(offset, offsets_[i + 1].offset_ns));
  }
  return reading;
}

}  // namespace secondlook
