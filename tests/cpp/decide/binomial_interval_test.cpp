#include "secondlook/decide/binomial_interval.hpp"

#include <cmath>
#include <cstdint>

#include "catch.hpp"
#include "decide/binomial.hpp"
#include "secondlook/core/error.hpp"

using secondlook::binomial_interval;
using secondlook::decide::binomial_cdf;
using secondlook::decide::fewest_for_tolerance;
using secondlook::decide::tolerance_rank;

namespace {

// Sums the terms by their logarithms.
double summed_cdf(int k, int n, double p) {
  double sum = 0;
  for (int i = 0; i <= k; ++i)
    sum += std::exp(std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0) +
                    i * std::log(p) + (n - i) * std::log1p(-p));
  return sum;
}

}  // namespace

TEST_CASE("binomial_cdf: is the sum of its terms") {
  const int n = GENERATE(1, 7, 100, 3000);
  const double p = GENERATE(0.001, 0.05, 0.5, 0.99);
  for (int k = 0; k < n; k += 1 + n / 20)
    REQUIRE(binomial_cdf(k, n, p) == Approx(summed_cdf(k, n, p)).epsilon(1e-9).margin(1e-14));
  REQUIRE(binomial_cdf(-1, n, p) == 0);
  REQUIRE(binomial_cdf(n, n, p) == 1);
}

TEST_CASE("tolerance_rank: the largest whose tail is within the risk") {
  const auto n = GENERATE(as<std::size_t>(), 1, 58, 59, 500, 20000);
  const double rate = GENERATE(0.01, 0.05, 0.5);
  const double risk = GENERATE(0.025, 0.05, 0.5);
  const auto k = static_cast<double>(tolerance_rank(n, rate, risk));
  const auto trials = static_cast<double>(n);
  // P(X < k) ≤ risk, and k + 1 would exceed it.
  REQUIRE(binomial_cdf(k - 1, trials, rate) <= risk * (1 + 1e-9));
  if (k < trials) REQUIRE(binomial_cdf(k, trials, rate) > risk * (1 - 1e-9));
}

TEST_CASE("fewest_for_tolerance: the first number of scores that allows a rank") {
  const double rate = GENERATE(0.003, 0.01, 0.05, 0.5);
  const double risk = GENERATE(0.025, 0.05, 0.5);
  const auto fewest = static_cast<std::size_t>(fewest_for_tolerance(rate, risk));
  REQUIRE(tolerance_rank(fewest, rate, risk) >= 1);
  if (fewest > 1) REQUIRE(tolerance_rank(fewest - 1, rate, risk) == 0);
}

TEST_CASE("binomial_interval: at its ends the count becomes improbable") {
  const std::int64_t n = GENERATE(1, 20, 1000);
  const double confidence = GENERATE(0.8, 0.95);
  const double risk = (1 - confidence) / 2;
  for (std::int64_t k = 0; k <= n; k += 1 + n / 15) {
    const auto [low, high] = binomial_interval(k, n, confidence);
    const auto successes = static_cast<double>(k);
    const auto trials = static_cast<double>(n);
    if (k > 0) REQUIRE(1 - binomial_cdf(successes - 1, trials, low) == Approx(risk).epsilon(1e-9));
    if (k < n) REQUIRE(binomial_cdf(successes, trials, high) == Approx(risk).epsilon(1e-9));
    REQUIRE(low <= successes / trials);
    REQUIRE(high >= successes / trials);
  }
}

TEST_CASE("binomial_interval: reports invalid arguments") {
  REQUIRE(binomial_interval(0, 0) == secondlook::Interval{0, 1});
  REQUIRE_THROWS_WITH(binomial_interval(4, 3),
                      "binomial_interval: n_successes must lie in [0, 3], got 4");
  REQUIRE_THROWS_AS(binomial_interval(0, -1), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(binomial_interval(1, 3, 0), secondlook::InvalidArgument);
}
