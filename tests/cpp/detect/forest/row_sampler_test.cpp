#include "detect/forest/row_sampler.hpp"

#include <algorithm>
#include <vector>

#include "catch.hpp"

using secondlook::RandomStream;
using secondlook::detect::RowSampler;

namespace {

// How often each row is the only one drawn.
std::vector<double> frequencies(const RowSampler& sampler, std::size_t n_rows,
                                std::size_t n_draws) {
  std::vector<double> counts(n_rows, 0);
  RandomStream random(7);
  for (std::size_t i = 0; i < n_draws; ++i)
    counts[sampler.draw(1, random)[0]] += 1.0 / static_cast<double>(n_draws);
  return counts;
}

}  // namespace

TEST_CASE("RowSampler: a row is drawn in proportion to its weight") {
  const bool replace = GENERATE(false, true);
  const std::vector<double> weights{1, 0, 5, 2, 0, 2};
  const RowSampler sampler(weights.size(), weights, replace);
  REQUIRE(sampler.n_drawable() == 4);
  const auto drawn = frequencies(sampler, weights.size(), 40000);
  for (std::size_t row = 0; row < weights.size(); ++row)
    REQUIRE(drawn[row] == Approx(weights[row] / 10).margin(0.012));  // five standard deviations
}

TEST_CASE("RowSampler: without replacement no row is drawn twice, and all at last") {
  const std::vector<double> weights{1, 0, 5, 1e-9, 0, 2e6, 3, 3};
  const auto with_weights = GENERATE(false, true);
  const RowSampler sampler(weights.size(), with_weights ? std::span(weights) : std::span<double>(),
                           false);
  RandomStream random(1);
  for (std::size_t n = 1; n <= sampler.n_drawable(); ++n) {
    auto rows = sampler.draw(n, random);
    REQUIRE(rows.size() == n);
    std::ranges::sort(rows);
    REQUIRE(std::ranges::adjacent_find(rows) == rows.end());
    if (with_weights) REQUIRE_FALSE(std::ranges::binary_search(rows, 1U));
  }
}

TEST_CASE("RowSampler: the second row without replacement follows the weights that are left") {
  // Successive draws: the pair (heavy, light) first or second in any order. With weights 2, 1, 1
  // row 0 is among two drawn with probability 1/2 + 1/4 · 2/3 · 2 = 5/6.
  const std::vector<double> weights{2, 1, 1};
  const RowSampler sampler(3, weights, false);
  RandomStream random(3);
  double with_first = 0;
  for (int i = 0; i < 40000; ++i) {
    const auto rows = sampler.draw(2, random);
    with_first += std::ranges::find(rows, 0U) != rows.end();
  }
  REQUIRE(with_first / 40000 == Approx(5.0 / 6).margin(0.01));
}

TEST_CASE("RowSampler: with replacement a row may come again, and there may be more than rows") {
  const RowSampler sampler(3, {}, true);
  RandomStream random(2);
  auto rows = sampler.draw(300, random);
  std::vector<int> counts(3, 0);
  for (const auto row : rows) ++counts[row];
  for (const int count : counts) REQUIRE((count > 60 && count < 140));
}

TEST_CASE("RowSampler: equal weights draw what no weights draw") {
  const bool replace = GENERATE(false, true);
  const std::vector<double> weights(50, 0.3);
  RandomStream a(4);
  RandomStream b(4);
  const RowSampler weighted(50, weights, replace);
  REQUIRE(weighted.weights().empty());
  REQUIRE(weighted.draw(20, a) == RowSampler(50, {}, replace).draw(20, b));
}
