#include "secondlook/core/random.hpp"

#include <array>
#include <cmath>

#include "catch.hpp"

using secondlook::RandomStream;

TEST_CASE("RandomStream: numbers depend only on seed and stream") {
  RandomStream a(7, 3);
  RandomStream b(7, 3);
  RandomStream other_stream(7, 4);
  RandomStream other_seed(8, 3);
  int equal_stream = 0;
  int equal_seed = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto value = a();
    REQUIRE(value == b());
    equal_stream += value == other_stream();
    equal_seed += value == other_seed();
  }
  REQUIRE(equal_stream == 0);
  REQUIRE(equal_seed == 0);
}

TEST_CASE("RandomStream: below(n) is uniform") {
  const auto n = GENERATE(1U, 2U, 3U, 10U, 64U);
  constexpr int kDraws = 64'000;
  std::array<int, 64> counts{};
  RandomStream random(42, n);
  for (int i = 0; i < kDraws; ++i) {
    const auto value = random.below(n);
    REQUIRE(value < n);
    ++counts[value];
  }
  const double expected = static_cast<double>(kDraws) / n;
  double chi_squared = 0;
  for (unsigned i = 0; i < n; ++i)
    chi_squared += (counts[i] - expected) * (counts[i] - expected) / expected;
  // Mean n − 1, standard deviation sqrt(2(n − 1)): a deviation of 5 of them has a probability below
  // one in a million.
  REQUIRE(chi_squared <= (n - 1) + 5 * std::sqrt(2.0 * (n - 1)));
}

TEST_CASE("RandomStream: uniform() is at least 0 and below 1 with the right mean and variance") {
  RandomStream random(1);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.uniform();
    REQUIRE((value >= 0 && value < 1));
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kDraws;
  REQUIRE(mean == Approx(0.5).margin(5 * std::sqrt(1.0 / 12 / kDraws)));
  REQUIRE(squares / kDraws - mean * mean == Approx(1.0 / 12).margin(0.002));
}
