#include "image/random_streams.hpp"

#include <set>
#include <vector>

#include "catch.hpp"

using namespace secondlook;
using image::random_stream_number;
using image::RandomUse;

TEST_CASE("random streams: the numbers that results of earlier versions depend on") {
  CHECK(random_stream_number(RandomUse::weights) == 0);
  CHECK(random_stream_number(RandomUse::split) == 1);
  CHECK(random_stream_number(RandomUse::replay) == 2);
  for (const std::uint64_t i : {0U, 1U, 1000U, (1U << 19) - 1})
    CHECK(random_stream_number(RandomUse::update, i) == 524'288 + i);
  for (const std::uint64_t i : {0U, 1U, 1000U, (1U << 20) - 1}) {
    CHECK(random_stream_number(RandomUse::dropout, i) == 1'048'576 + i);
    CHECK(random_stream_number(RandomUse::order, i) == 2'097'152 + i);
    CHECK(random_stream_number(RandomUse::mixup, i) == 1'073'741'824 + i);
  }
  CHECK(image::random_stream(7, RandomUse::dropout, 3)() == RandomStream(7, 1'048'579)());
}

TEST_CASE("random streams: no two uses share a stream, after any number of steps") {
  // Around every power of two, where ranges begin and end.
  std::set<std::uint64_t> indices;
  for (int power = 0; power < 50; ++power)
    for (const int near : {-2, -1, 0, 1, 2}) {
      const auto index = (std::int64_t{1} << power) + near;
      if (index >= 0) indices.insert(static_cast<std::uint64_t>(index));
    }
  std::set<std::uint64_t> numbers = {random_stream_number(RandomUse::weights),
                                     random_stream_number(RandomUse::split),
                                     random_stream_number(RandomUse::replay)};
  REQUIRE(numbers.size() == 3);
  for (const auto use : {RandomUse::update, RandomUse::dropout, RandomUse::order, RandomUse::mixup})
    for (const std::uint64_t index : indices) {
      CAPTURE(static_cast<std::uint64_t>(use), index);
      CHECK(numbers.insert(random_stream_number(use, index)).second);
    }
}
