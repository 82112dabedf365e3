#include "series/repeated_hour.hpp"

#include <vector>

#include "catch.hpp"

using secondlook::find_put_back;
using secondlook::RepeatedHour;

namespace {

constexpr std::int64_t kMinute = 60'000'000'000;
constexpr std::int64_t kHour = 60 * kMinute;

// Times are minutes of the repeated hour, which begins at 0 in UTC; the offset goes from +1 h to 0.
// Neighbours are minutes in UTC.
std::optional<std::size_t> put_back(std::vector<std::int64_t> minutes,
                                    std::optional<std::int64_t> previous = {},
                                    std::optional<std::int64_t> next = {}) {
  for (std::int64_t& minute : minutes) minute *= kMinute;
  if (previous) *previous *= kMinute;
  if (next) *next *= kMinute;
  return find_put_back({minutes, {kHour, 0}, previous, next});
}

}  // namespace

TEST_CASE("find_put_back: where the times step back") {
  REQUIRE(put_back({0, 15, 30, 45, 0, 15, 30, 45}) == 4);
  REQUIRE(put_back({30, 0}) == 1);
  REQUIRE(put_back({0, 10, 5, 20}) == 2);                  // the logger was off in between
  REQUIRE(put_back({0, 20, 19, 40, 59, 0, 20, 40}) == 5);  // two lines out of order
}

TEST_CASE("find_put_back: hourly readings have one time twice") {
  REQUIRE(put_back({0, 0}, -120, 60) == 1);
  REQUIRE(put_back({0, 0}, -61, std::nullopt) == 2);  // a repeated line is not a clock change
}

TEST_CASE("find_put_back: increasing times belong to the side that they continue") {
  REQUIRE(put_back({0, 15, 30}, -75) == 3);  // 00:45 UTC, as it showed 01:45
  REQUIRE(put_back({30, 45}, std::nullopt, 60) == 0);
}

TEST_CASE("find_put_back: nothing if the order does not decide") {
  REQUIRE_FALSE(put_back({0, 15, 30, 45}));
  REQUIRE_FALSE(put_back({0, 15, 30, 45}, -75, 60));
  REQUIRE_FALSE(put_back({0, 30, 0, 30, 0}));
  REQUIRE_FALSE(put_back({0, 0}));
  REQUIRE_FALSE(put_back({0}, -120, 60));
}
