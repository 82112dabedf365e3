#include "series/clock.hpp"

#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::Clock;
using secondlook::ClockOffset;

namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr std::int64_t kForward = 1'616'893'200'000'000'000;  // 2021-03-28 01:00 UTC
constexpr std::int64_t kBack = 1'635'642'000'000'000'000;     // 2021-10-31 01:00 UTC

// The clock of Berlin in 2021.
Clock berlin() {
  const std::vector<ClockOffset> offsets{{0, kHour}, {kForward, 2 * kHour}, {kBack, kHour}};
  return Clock(offsets);
}

}  // namespace

TEST_CASE("Clock: a local time is read as its instant, or as one of two") {
  const Clock clock = berlin();
  for (const std::int64_t change : {kForward, kBack}) {
    for (int quarter = -400; quarter <= 400; ++quarter) {
      const std::int64_t utc = change + quarter * kHour / 4;
      const std::int64_t offset = utc >= kForward && utc < kBack ? 2 * kHour : kHour;
      const std::int64_t local = utc + offset;
      const Clock::Reading reading = clock.read(local);
      const bool twice = local >= kBack + kHour && local < kBack + 2 * kHour;
      REQUIRE((reading.shown == Clock::Shown::twice) == twice);
      if (twice) {
        REQUIRE(clock.change(reading.change).before_ns == 2 * kHour);
        REQUIRE(clock.change(reading.change).after_ns == kHour);
        continue;
      }
      REQUIRE(reading.shown == Clock::Shown::once);
      REQUIRE(local - reading.offset_ns == utc);
      REQUIRE(reading.begin_ns <= local);
      REQUIRE(local < reading.end_ns);
      for (const std::int64_t other : {reading.begin_ns, reading.end_ns - 1}) {
        const Clock::Reading same = clock.read(other);
        REQUIRE(same.shown == Clock::Shown::once);
        REQUIRE(same.offset_ns == reading.offset_ns);
      }
      if (reading.end_ns == std::numeric_limits<std::int64_t>::max()) continue;
      const Clock::Reading next = clock.read(reading.end_ns);
      REQUIRE((next.shown != Clock::Shown::once || next.offset_ns != reading.offset_ns));
    }
  }
}

TEST_CASE("Clock: the skipped hour is never shown") {
  const Clock clock = berlin();
  REQUIRE(clock.read(kForward + kHour).shown == Clock::Shown::never);
  REQUIRE(clock.read(kForward + 2 * kHour - 1).shown == Clock::Shown::never);
  REQUIRE(clock.read(kForward + kHour - 1).shown == Clock::Shown::once);
  REQUIRE(clock.read(kForward + 2 * kHour).shown == Clock::Shown::once);
}

TEST_CASE("Clock: one offset holds for all times") {
  const ClockOffset offset{0, -kHour};
  const Clock clock(std::span(&offset, 1));
  for (const std::int64_t time : {-9'000'000'000'000'000'000, 0L, 9'000'000'000'000'000'000})
    REQUIRE(clock.read(time).offset_ns == -kHour);
}

TEST_CASE("Clock: invalid offsets are errors") {
  using Offsets = std::vector<ClockOffset>;
  const auto [offsets, what] = GENERATE(table<Offsets, std::string>({
      {Offsets{}, "at least 1 offset"},
      {Offsets{{0, 25 * kHour}}, "within a day"},
      {Offsets{{0, 0}, {kBack, kHour}, {kForward, 0}}, "more than two days apart"},
  }));
  REQUIRE_THROWS_WITH(Clock(offsets), Catch::Matchers::Contains(what));
}
