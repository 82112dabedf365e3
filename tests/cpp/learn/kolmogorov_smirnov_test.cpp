#include "secondlook/learn/kolmogorov_smirnov.hpp"

#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::kolmogorov_smirnov;
using secondlook::RandomStream;

namespace {

std::vector<double> draw(std::size_t n, double shift, RandomStream& random) {
  std::vector<double> sample(n);
  for (double& value : sample) value = shift + random.uniform();
  return sample;
}

}  // namespace

TEST_CASE("kolmogorov_smirnov: small samples, computed by hand") {
  // Two against two, separated: 2 of the 6 orders are as extreme.
  const auto apart = kolmogorov_smirnov(std::vector<double>{1, 2}, std::vector<double>{3, 4});
  REQUIRE(apart.statistic == 1);
  REQUIRE(apart.p_value == Approx(2.0 / 6));
  const auto mixed = kolmogorov_smirnov(std::vector<double>{1, 3}, std::vector<double>{2, 4});
  REQUIRE(mixed.statistic == 0.5);
  REQUIRE(mixed.p_value == 1);
  const auto equal = kolmogorov_smirnov(std::vector<double>{1, 1}, std::vector<double>{1});
  REQUIRE(equal.statistic == 0);
  REQUIRE(equal.p_value == 1);
}

TEST_CASE("kolmogorov_smirnov: p-values of equal distributions are valid") {
  const std::size_t n = GENERATE(30, 200);
  RandomStream random(5);
  int small = 0;
  constexpr int kRuns = 2'000;
  for (int run = 0; run < kRuns; ++run)
    small += kolmogorov_smirnov(draw(n, 0, random), draw(n + 7, 0, random)).p_value < 0.05 ? 1 : 0;
  // At most 100 are expected; the standard deviation is 9.7.
  REQUIRE(small < 130);
  REQUIRE(small > 50);
}

TEST_CASE("kolmogorov_smirnov: exact and approximate p-values agree") {
  RandomStream random(6);
  for (const double shift : {0.0, 0.01, 0.02}) {
    const auto a = draw(1'990, 0, random);
    const auto b = draw(2'010, shift, random);
    auto more = b;
    more.push_back(b[0]);  // just too many pairs for the exact p-value
    const double exact = kolmogorov_smirnov(a, b).p_value;
    const double approximate = kolmogorov_smirnov(a, more).p_value;
    REQUIRE(approximate == Approx(exact).epsilon(0.1));
  }
}

TEST_CASE("kolmogorov_smirnov: rejects empty samples and values that are not finite") {
  const std::vector<double> good{1}, bad{std::numeric_limits<double>::quiet_NaN()}, none;
  REQUIRE_THROWS_AS(kolmogorov_smirnov(good, none), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(kolmogorov_smirnov(none, good), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(kolmogorov_smirnov(bad, good), secondlook::InvalidArgument);
}
