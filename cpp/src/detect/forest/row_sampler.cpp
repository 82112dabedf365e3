#include "detect/forest/row_sampler.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

namespace secondlook::detect {

RowSampler::RowSampler(std::size_t n_rows, std::span<const double> weights, bool replace)
    : n_rows_(n_rows), n_drawable_(n_rows), replace_(replace), weights_(weights) {
  // Equal weights say nothing: the trees are those without weights.
  if (std::ranges::adjacent_find(weights_, std::not_equal_to<>()) == weights_.end()) weights_ = {};
  if (weights_.empty()) return;
  n_drawable_ = static_cast<std::size_t>(
      std::ranges::count_if(weights_, [](double weight) { return weight > 0; }));
  if (!replace_) return;
  cumulative_.resize(n_rows);
  std::inclusive_scan(weights_.begin(), weights_.end(), cumulative_.begin());
}

std::vector<std::uint32_t> RowSampler::draw(std::size_t n, RandomStream& random) const {
  if (!replace_) return weights_.empty() ? draw_distinct(n, random) : draw_by_weight(n, random);
  std::vector<std::uint32_t> rows(n);
  for (auto& row : rows) {
    if (weights_.empty()) {
      row = static_cast<std::uint32_t>(random.below(n_rows_));
      continue;
    }
    // The first row beyond the drawn weight, so never one of weight 0.
    const double drawn = random.uniform() * cumulative_.back();
    row = static_cast<std::uint32_t>(std::ranges::upper_bound(cumulative_, drawn) -
                                     cumulative_.begin());
  }
  return rows;
}

// Without weights: Floyd's algorithm (Bentley 1987).
std::vector<std::uint32_t> RowSampler::draw_distinct(std::size_t n, RandomStream& random) const {
  std::vector<std::uint32_t> rows;
  rows.reserve(n);
  if (n == n_rows_) {
    rows.resize(n);
    std::iota(rows.begin(), rows.end(), 0U);
    return rows;
  }
  // Hash table with open addressing, at most half full; 0 marks an empty slot.
  std::vector<std::size_t> taken(std::bit_ceil(2 * n + 1), 0);
  const auto take = [&taken](std::size_t row) {
    std::size_t slot = (row * 0x9e3779b97f4a7c15U) >> 20;
    for (;; ++slot) {
      std::size_t& entry = taken[slot & (taken.size() - 1)];
      if (entry == row + 1) return false;
      if (entry != 0) continue;
      entry = row + 1;
      return true;
    }
  };
  for (std::size_t last = n_rows_ - n; last < n_rows_; ++last) {
    const std::size_t row = random.below(last + 1);
    rows.push_back(static_cast<std::uint32_t>(take(row) ? row : (take(last), last)));
  }
  return rows;
}

// By weight, without replacement: the rows whose exponential clocks ring first (Efraimidis &
// Spirakis, "Weighted random sampling with a reservoir", 2006).
std::vector<std::uint32_t> RowSampler::draw_by_weight(std::size_t n, RandomStream& random) const {
  std::vector<std::pair<double, std::uint32_t>> clocks;
  clocks.reserve(n_drawable_);
  for (std::size_t row = 0; row < n_rows_; ++row) {
    if (weights_[row] == 0) continue;
    clocks.emplace_back(-std::log1p(-random.uniform()) / weights_[row],
                        static_cast<std::uint32_t>(row));
  }
  std::ranges::nth_element(clocks, clocks.begin() + static_cast<std::ptrdiff_t>(n) - 1);
  std::vector<std::uint32_t> rows(n);
  std::ranges::transform(clocks.begin(), clocks.begin() + static_cast<std::ptrdiff_t>(n),
                         rows.begin(), [](const auto& clock) { return clock.second; });
  return rows;
}

}  // namespace secondlook::detect
