#include "detect/surprise/trend.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::RandomStream;
using secondlook::SurpriseStream;
using secondlook::detect::Trend;

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("Trend: samples without a trend pass unchanged") {
  RandomStream random(1);
  Trend trend;
  for (int i = 0; i < 20'000; ++i) {
    const double sample = std::sin(i * 0.05) + random.uniform();
    REQUIRE(trend.remove(sample) == sample);
  }
  for (const double level : {3.5, 0.1, -1e150}) {
    Trend constant;
    for (int i = 0; i < 5'000; ++i) REQUIRE(constant.remove(level) == level);
  }
}

TEST_CASE("Trend: a line is recognised after eight blocks, up or down, and constant from then on") {
  const double slope = GENERATE(0.25, -3.0, 1e-6);
  Trend trend;
  for (int i = 0; i < 512; ++i) REQUIRE(trend.remove(100 + slope * i) == 100 + slope * i);
  for (int i = 512; i < 9'000; ++i)
    REQUIRE(trend.remove(100 + slope * i) == Approx(100 + slope * 512).epsilon(1e-9));
}

TEST_CASE("Trend: a slope below the noise is found in longer blocks") {
  RandomStream random(2);
  Trend trend;
  double last = 0;
  for (int i = 0; i < 20'000; ++i)
    last = trend.remove(0.002 * i + 4 * random.uniform()) - 0.002 * i;
  // Of the 40 that the slope has added, all is removed except what was added before it was
  // recognised.
  REQUIRE(last + 0.002 * 20'000 < 12);
}

TEST_CASE("Trend: a series that stops rising keeps its level") {
  Trend trend;
  for (int i = 0; i < 2'000; ++i) trend.remove(i);
  for (int i = 0; i < 5'000; ++i) trend.remove(2'000);  // until the longest blocks are level
  const double level = trend.remove(2'000);
  for (int i = 0; i < 5'000; ++i) REQUIRE(trend.remove(2'000) == level);
}

TEST_CASE("Trend: missing samples stay missing, and a mostly missing block ends a trend") {
  Trend trend;
  for (int i = 0; i < 2'000; ++i)
    if (i % 3 == 0)
      REQUIRE(std::isnan(trend.remove(kMissing)));
    else
      trend.remove(i);
  REQUIRE(trend.remove(2'000) < 1'000);
  for (int i = 0; i < 700; ++i) trend.remove(kMissing);
  const double offset = trend.state().offset;
  for (int i = 0; i < 400; ++i) trend.remove(2'700 + i);
  REQUIRE(trend.state().offset == offset);
}

TEST_CASE("Trend: continues exactly from its state, and rejects invalid states") {
  RandomStream random(3);
  Trend one;
  for (int i = 0; i < 3'000; ++i) {
    if (i % 37 == 0) {
      Trend resumed;
      resumed.restore(one.state());
      REQUIRE(resumed.state() == one.state());
      one = resumed;
    }
    one.remove(i + 5 * random.uniform());
  }
  const auto refuses = [&](auto change) {
    SurpriseStream::Trend state = one.state();
    change(state);
    Trend trend;
    REQUIRE_THROWS_AS(trend.restore(state), secondlook::InvalidArgument);
  };
  refuses([](auto& s) { s.time = -1; });
  refuses([](auto& s) { s.count = 65; });
  refuses([](auto& s) { s.sum = kMissing; });
  refuses([](auto& s) { s.offset = std::numeric_limits<double>::infinity(); });
  refuses([](auto& s) { s.means.pop_back(); });
  refuses([](auto& s) { s.means[1].assign(9, 0.0); });
  refuses([](auto& s) { s.waiting[0] = std::numeric_limits<double>::infinity(); });
}
