#pragma once

#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "secondlook/core/random.hpp"

namespace secondlook {

/// Shuffles the items; every order is equally likely (Fisher & Yates; Durstenfeld 1964).
template <class Item>
void shuffle(std::span<Item> items, RandomStream& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

/// {0, …, n − 1} in random order.
inline std::vector<std::size_t> shuffled_indices(std::size_t n, RandomStream& random) {
  std::vector<std::size_t> indices(n);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  shuffle(std::span(indices), random);
  return indices;
}

}  // namespace secondlook
