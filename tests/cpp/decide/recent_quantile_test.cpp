#include "decide/recent_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

#include "catch.hpp"
#include "core/quantile.hpp"
#include "secondlook/core/random.hpp"

using secondlook::RecentQuantile;

TEST_CASE("RecentQuantile: the quantile of the last samples, in any order and with ties") {
  const std::size_t window = GENERATE(1, 2, 7, 100);
  const double probability = GENERATE(0.0, 0.3, 0.95, 1.0);
  CAPTURE(window, probability);
  secondlook::RandomStream random(window);
  RecentQuantile recent(window, probability);
  REQUIRE(std::isnan(recent.value()));
  std::deque<double> kept;
  for (int i = 0; i < 500; ++i) {
    const double sample = std::floor(20 * random.uniform());
    recent.push(sample);
    kept.push_back(sample);
    if (kept.size() > window) kept.pop_front();
    REQUIRE(recent.size() == kept.size());
    REQUIRE(recent.value() ==
            Approx(secondlook::quantile({kept.begin(), kept.end()}, probability)).margin(1e-12));
  }
  const auto samples = recent.samples();
  REQUIRE(std::ranges::equal(samples, kept));
}
