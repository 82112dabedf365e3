#include "secondlook/decide/tail_surprise.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::InvalidArgument;
using secondlook::RandomStream;
using secondlook::TailSurprise;

TEST_CASE("TailSurprise: the formula over the largest stored values") {
  RandomStream random(1);
  TailSurprise tail({.largest = 5, .shape = 0.25, .warm_up = 10, .block = 40});
  std::vector<double> remembered;
  std::size_t start_of_block = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    const double value = random.uniform() + (i % 37 == 0 ? 3 : 0);
    const auto n = static_cast<double>(remembered.size());
    double expected = 0;
    if (i >= 10) {
      auto sorted = remembered;
      std::ranges::sort(sorted, std::greater());
      const double range = sorted.front() - sorted.back();
      const double start = sorted[4];
      const double mean = (sorted[0] + sorted[1] + sorted[2] + sorted[3] - 4 * start) / 4 +
                          1e-3 * range + 1e-12 * std::abs(start);
      if (value - start > 1e-6 * range)
        expected = -std::log10(
            5 / n * std::pow(1 + 0.25 * (value - start) / (mean * (1 - 0.25)), -1 / 0.25));
    }
    REQUIRE(tail.push(value) == Approx(expected).epsilon(1e-9));
    remembered.push_back(value);
    if ((i + 1) % 40 == 0) {  // the block before the last one is forgotten
      remembered.erase(remembered.begin(), remembered.begin() + static_cast<long>(start_of_block));
      start_of_block = 40;
    }
  }
}

TEST_CASE("TailSurprise: agrees with an exponential tail") {
  RandomStream random(2);
  TailSurprise tail({.shape = 0});
  const int n = 200'000;
  int beyond_100 = 0;
  int beyond_10000 = 0;
  for (int i = 0; i < n; ++i) {
    const double surprise = tail.push(-std::log(1 - random.uniform()));
    beyond_100 += surprise >= 2 ? 1 : 0;
    beyond_10000 += surprise >= 4 ? 1 : 0;
  }
  CHECK(beyond_100 == Approx(n / 100.0).epsilon(0.1));
  // The scale is known to 1 in sqrt(50), which widens the tail: at four decades about twice.
  CHECK(beyond_10000 > n / 20'000);
  CHECK(beyond_10000 < 3 * n / 10'000);
}

TEST_CASE("TailSurprise: two sides are alike, and one side is blind to low values") {
  RandomStream random(3);
  TailSurprise both({.two_sided = true});
  TailSurprise mirrored({.two_sided = true});
  TailSurprise high;
  for (int i = 0; i < 6000; ++i) {
    const double value = random.uniform();
    REQUIRE(both.push(value) == mirrored.push(-value));
    high.push(value);
  }
  REQUIRE(both.push(-1.0) > 3);
  REQUIRE(mirrored.push(1.0) > 3);
  REQUIRE(high.push(-1.0) == 0);
}

TEST_CASE("TailSurprise: does not depend on scale and offset") {
  RandomStream random(4);
  TailSurprise tail({.two_sided = true});
  TailSurprise scaled({.two_sided = true});
  for (int i = 0; i < 6000; ++i) {
    const double value = random.uniform() * random.uniform();
    REQUIRE(tail.push(value) == Approx(scaled.push(1024 * value)));
  }
}

TEST_CASE(
    "TailSurprise: constant values are no surprise, and the first other one is a finite one") {
  TailSurprise tail({.two_sided = true});
  for (int i = 0; i < 6000; ++i) REQUIRE(tail.push(7.25) == 0);
  const double surprise = tail.push(8);
  REQUIRE(surprise > 10);
  REQUIRE(surprise <= TailSurprise::kMost);
}

TEST_CASE("TailSurprise: an absurd value is forgotten after two blocks") {
  RandomStream random(5);
  TailSurprise tail;
  for (int i = 0; i < 3000; ++i) tail.push(random.uniform());
  REQUIRE(tail.push(1e300) == TailSurprise::kMost);
  REQUIRE(tail.range() > 1e299);
  for (int i = 0; i < 5000; ++i) tail.push(random.uniform());
  REQUIRE(tail.range() <= 1);
  REQUIRE(tail.push(3.0) > 4);
}

TEST_CASE("TailSurprise: continues from a saved state") {
  RandomStream random(6);
  TailSurprise one({.two_sided = true, .largest = 5, .warm_up = 10, .block = 20});
  for (int i = 0; i < 200; ++i) {
    TailSurprise other(one.parameters(), one.state());
    const double value = random.uniform();
    REQUIRE(one.push(value) == other.push(value));
    REQUIRE(one.state() == other.state());
  }
}

TEST_CASE("TailSurprise: reports invalid arguments") {
  REQUIRE_THROWS_WITH(TailSurprise({.largest = 1}),
                      "TailSurprise: largest must be at least 2, got 1");
  REQUIRE_THROWS_AS(TailSurprise({.shape = 1}), InvalidArgument);
  REQUIRE_THROWS_AS(TailSurprise({.shape = NAN}), InvalidArgument);
  REQUIRE_THROWS_AS(TailSurprise({.warm_up = 49}), InvalidArgument);
  REQUIRE_THROWS_AS(TailSurprise({.block = 49}), InvalidArgument);
  TailSurprise tail({.largest = 2, .warm_up = 2, .block = 4});
  REQUIRE_THROWS_WITH(tail.push(INFINITY),
                      "TailSurprise::push: expected a finite value of at most 1e300, got inf");
  REQUIRE_THROWS_AS(tail.push(std::vector<double>{1.0, NAN}), InvalidArgument);
  REQUIRE(tail.state().count == 0);
  for (const double value : {3.0, 1.0, 2.0}) tail.push(value);
  auto state = tail.state();
  state.remembered.highest = {3.0, 2.0};
  REQUIRE_THROWS_AS(TailSurprise(tail.parameters(), state), InvalidArgument);
  state = tail.state();
  state.current.highest.clear();
  REQUIRE_THROWS_AS(TailSurprise(tail.parameters(), state), InvalidArgument);
  state = tail.state();
  state.remembered.count = 100;
  REQUIRE_THROWS_AS(TailSurprise(tail.parameters(), state), InvalidArgument);
}
