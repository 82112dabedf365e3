#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "detect/forest/isolation_tree.hpp"

namespace secondlook::detect {

/// Trees of a forest, stored one after another.
struct ForestView {
  const SplitNode* nodes = nullptr;
  const float* path_lengths = nullptr;
  std::size_t n_trees = 0;
  unsigned depth = 0;
};

/// Keys of rows in groups of `kGroupRows`, indexed by (group, column, row in group).
struct PackedRows {
  const std::uint32_t* keys = nullptr;
  std::size_t n_groups = 0;
  std::size_t n_columns = 0;
};

/// Adds each row's path length in each tree, in the order of the trees, to `sums`.
void add_path_lengths(const ForestView& forest, const PackedRows& rows, double* sums);

/// Returns the same sum for one row, the first of a group.
[[nodiscard]] double path_length_sum(const ForestView& forest, const std::uint32_t* keys);

}  // namespace secondlook::detect
