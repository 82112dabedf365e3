#include "secondlook/decide/running_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::RandomStream;
using secondlook::RunningQuantile;

TEST_CASE("RunningQuantile: within 1 % of the range of the exact quantile") {
  const double probability = GENERATE(0.05, 0.5, 0.99);
  const std::uint64_t seed = GENERATE(1, 2, 3);
  CAPTURE(probability, seed);
  RandomStream random(seed);
  RunningQuantile quantile(probability);
  std::vector<double> samples(10'000);
  for (double& sample : samples) {
    sample = random.uniform() + random.uniform() + random.uniform();
    quantile.push(sample);
  }
  std::ranges::sort(samples);
  const double exact = samples[static_cast<std::size_t>(probability * 9'999)];
  REQUIRE(std::abs(quantile.value() - exact) < 0.01 * (samples.back() - samples.front()));
}

TEST_CASE("RunningQuantile: exact for the first five samples") {
  RunningQuantile quantile(0.25);
  REQUIRE(std::isnan(quantile.value()));
  const std::vector<double> samples{5, 1, 4, 2, 3};
  const std::vector<double> expected{5, 2, 2.5, 1.75, 2};
  for (std::size_t i = 0; i < samples.size(); ++i)
    REQUIRE(quantile.push(samples[i]) == Approx(expected[i]));
}

TEST_CASE("RunningQuantile: stays within the samples and in order for any input") {
  RandomStream random(7);
  RunningQuantile quantile(0.9);
  double least = std::numeric_limits<double>::max();
  double most = -least;
  for (int i = 0; i < 2'000; ++i) {
    const double huge = random.uniform() < 0.5 ? -1.7e308 : 1.7e308;
    const double sample = i % 3 == 0 ? huge : std::floor(random.uniform() * 4);
    least = std::min(least, sample);
    most = std::max(most, sample);
    const double value = quantile.push(sample);
    REQUIRE(value >= least);
    REQUIRE(value <= most);
    REQUIRE(std::ranges::is_sorted(std::vector(
        quantile.state().heights.begin(), quantile.state().heights.begin() + std::min(i + 1, 5))));
  }
}

TEST_CASE("RunningQuantile: constant samples have that quantile") {
  RunningQuantile quantile(0.99);
  for (int i = 0; i < 1000; ++i) REQUIRE(quantile.push(3.25) == 3.25);
}

TEST_CASE("RunningQuantile: continues from a saved state") {
  RandomStream random(8);
  RunningQuantile one(0.9);
  for (int i = 0; i < 3; ++i) one.push(random.uniform());
  for (int i = 0; i < 100; ++i) {
    RunningQuantile other(one.state());
    const double sample = random.uniform();
    REQUIRE(one.push(sample) == other.push(sample));
    REQUIRE(one.state() == other.state());
  }
}

TEST_CASE("RunningQuantile: reports invalid arguments") {
  REQUIRE_THROWS_WITH(RunningQuantile(1.0),
                      "RunningQuantile: probability must lie in (0, 1), got 1");
  REQUIRE_THROWS_AS(RunningQuantile(std::nan("")), secondlook::InvalidArgument);
  RunningQuantile quantile(0.5);
  REQUIRE_THROWS_WITH(quantile.push(std::nan("")),
                      "RunningQuantile::push: expected a finite sample, got nan");
  REQUIRE(quantile.state().count == 0);
  for (int i = 0; i < 9; ++i) quantile.push(i);
  auto state = quantile.state();
  state.positions[2] = state.positions[3];
  REQUIRE_THROWS_AS(RunningQuantile(state), secondlook::InvalidArgument);
  state = quantile.state();
  state.heights[1] = 99;
  REQUIRE_THROWS_AS(RunningQuantile(state), secondlook::InvalidArgument);
}
