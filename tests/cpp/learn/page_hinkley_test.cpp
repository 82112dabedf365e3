#include "secondlook/learn/page_hinkley.hpp"

#include <limits>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::PageHinkley;
using secondlook::RandomStream;

TEST_CASE("PageHinkley: detects a rise and a fall of the mean, with few false alarms") {
  const double shift = GENERATE(1.0, -1.0);
  int false_alarms = 0;
  double delay = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(shift, seed);
    RandomStream random(seed);
    const auto noise = [&] { return 2 * random.uniform() - 1; };
    PageHinkley test(0.1, 20);
    for (int i = 0; i < 10'000; ++i) false_alarms += test.push(noise()) ? 1 : 0;
    int waited = 0;
    while (!test.push(shift + noise())) REQUIRE(++waited < 100);
    delay += waited / 20.0;
  }
  CAPTURE(shift, delay, false_alarms);
  // A walk of drift -0.1 and variance 1/3 climbs 20 with probability exp(-2 * 0.1 * 20 / (1/3)), up
  // or down, from each of 200,000 starting points: 2.5 are expected.
  REQUIRE(false_alarms <= 8);
  REQUIRE(delay < 20 / 0.9 + 5);  // threshold / (shift − tolerance)
}

TEST_CASE("PageHinkley: restarts after a change, and continues from its state") {
  PageHinkley test(0, 5, 3);
  REQUIRE_FALSE(test.push(0));
  REQUIRE_FALSE(test.push(0));
  PageHinkley copy(test.state());
  REQUIRE(test.push(100));
  REQUIRE(copy.push(100));
  REQUIRE(test.state().count == 0);
  REQUIRE_FALSE(test.push(100));
}

TEST_CASE("PageHinkley: rejects parameters and values out of range") {
  REQUIRE_THROWS_AS(PageHinkley(-1, 1), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(PageHinkley(0, 0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(PageHinkley(0, 1, 0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(PageHinkley({0, 1, 1, 3, 0, -1, 0}), secondlook::InvalidArgument);
  PageHinkley test;
  REQUIRE_THROWS_AS(test.push(std::numeric_limits<double>::infinity()),
                    secondlook::InvalidArgument);
  REQUIRE(test.state().count == 0);
}
