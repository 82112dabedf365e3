#include "secondlook/decide/mixture_drift.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"

using secondlook::MixtureDrift;
using secondlook::RandomStream;

namespace {

std::vector<double> live_scores(std::size_t n, double abnormal_fraction, RandomStream& random) {
  std::vector<double> scores(n);
  for (double& score : scores)
    score = normal(random) + (random.uniform() < abnormal_fraction ? 2 : 0);
  return scores;
}

}  // namespace

TEST_CASE("MixtureDrift: p-values are valid") {
  const bool any_mixture = GENERATE(true, false);
  RandomStream random(1);
  constexpr int kRepetitions = 500;
  int small = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto [scores, labels] = normal_cases(600, 2, 4, random);
    const MixtureDrift test(scores, labels);
    const auto live = live_scores(300, any_mixture ? random.uniform() : 0.25, random);
    small += test.p_value(live, any_mixture) <= 0.1 ? 1 : 0;
  }
  REQUIRE(small / static_cast<double>(kRepetitions) <=
          0.1 + 4 * std::sqrt(0.1 * 0.9 / kRepetitions));
}

TEST_CASE("MixtureDrift: detects what no mixture explains, and another mixture on request") {
  RandomStream random(2);
  const auto [scores, labels] = normal_cases(4000, 2, 4, random);  // more than are stored
  const MixtureDrift test(scores, labels);
  auto live = live_scores(2000, 0.9, random);
  REQUIRE(test.p_value(live) > 0.01);
  REQUIRE(test.p_value(live, false) < 1e-6);
  for (double& score : live) score *= 1.4;
  REQUIRE(test.p_value(live) < 1e-6);
}

TEST_CASE("MixtureDrift: is restored from its summaries, and reports inconsistent ones") {
  RandomStream random(3);
  const auto [scores, labels] = normal_cases(3000, 2, 4, random);
  const MixtureDrift test(scores, labels);
  REQUIRE(test.normal().count == 2250);
  REQUIRE(test.normal().quantiles.size() == 512);
  const MixtureDrift again(test.normal(), test.abnormal());
  REQUIRE(again.p_value(scores) == test.p_value(scores));
  REQUIRE_THROWS_AS(MixtureDrift({3, {1, 2}}, {1, {1}}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(MixtureDrift({2, {2, 1}}, {1, {1}}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(MixtureDrift({0, {}}, {1, {1}}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(test.p_value({}), secondlook::InvalidArgument);
}
