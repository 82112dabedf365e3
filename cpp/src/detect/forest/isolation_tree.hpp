#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/random.hpp"

namespace secondlook::detect {

/// Number of rows that the scoring kernel moves in step. Nodes store the offset of a column within
/// such a group.
inline constexpr std::uint32_t kGroupRows = 16;

/// Maps floats to unsigned integers of the same order, so that the kernel compares integers. Add
/// zero to the value first, as negative zero is not handled. Finite values lie strictly between
/// `kMissingLow` and `kMissingHigh`.
inline std::uint32_t ordered_key(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31);
  return bits ^ (sign | 0x80000000U);
}
inline float value_of_key(std::uint32_t key) noexcept {
  const std::uint32_t mask = (key >> 31) != 0 ? 0x80000000U : 0xffffffffU;
  return std::bit_cast<float>(key ^ mask);
}
inline constexpr std::uint32_t kMissingLow = 0;
inline constexpr std::uint32_t kMissingHigh = 0xffffffffU;
inline constexpr std::uint32_t kZeroKey = 0x80000000U;
/// In place of a column: the feature is zero in all rows, whose keys are not stored.
inline constexpr std::uint32_t kAllZero = 0xffffffffU;

/// A split: rows whose key in `column` is below `threshold` go to child 2i + 1, others to 2i.
/// Threshold 0 sends every row to 2i; such nodes fill the tree below a leaf.
struct SplitNode {
  std::uint32_t threshold = 0;
  std::uint32_t column = 0;  ///< feature × kGroupRows
};

/// Trees are complete binary heaps of the same depth: node 1 is the root, 2i and 2i + 1 are the
/// children of i. A leaf above the last level continues as a chain of children 2i down to the last
/// level, so the kernel needs neither child indices nor leaf tests.
struct TreeView {
  std::span<SplitNode> nodes;       ///< 2^depth, [0] unused
  std::span<float> path_lengths;    ///< 2^depth, of the leaves on the last level
  std::span<std::uint32_t> covers;  ///< 2^(depth + 1), training rows that reached each node
};

/// Mean path length of an unsuccessful search in a binary search tree of n keys (Liu et al. 2008,
/// eq. 1).
[[nodiscard]] double average_path_length(double n) noexcept;

/// Depth of a tree that is grown on n rows: ceil(log2(n)), at least 1.
[[nodiscard]] unsigned tree_depth(std::size_t n) noexcept;

/// Training data of one tree: column-major keys, and the rows and columns that the tree uses.
struct TreeSample {
  std::span<const std::uint32_t> keys;      ///< column-major, missing values are `kMissingHigh`
  std::size_t n_key_rows = 0;               ///< length of a column of `keys`
  std::span<const std::uint32_t> rows;      ///< rows that the tree uses
  std::span<const std::uint32_t> features;  ///< features that it may split on
  std::uint32_t n_features = 0;             ///< number of features of a row
  bool route_missing =
      false;  ///< nodes may use column n_features + f: feature f with missing values low
  /// Column of `keys` of each feature, or `kAllZero`; empty: feature f is column f.
  std::span<const std::uint32_t> column_of = {};
};

/// Grows one tree by random splits: the feature is drawn from those that vary, the threshold
/// uniformly between its extremes.
void grow_tree(const TreeSample& sample, unsigned depth, RandomStream& random, TreeView tree);

}  // namespace secondlook::detect
