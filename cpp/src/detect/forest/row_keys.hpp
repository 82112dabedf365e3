#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "detect/forest/forest_kernel.hpp"
#include "detect/forest/isolation_tree.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/core/sparse_view.hpp"

// Rows as the keys that trees compare, in the layouts in which trees are grown and rows are scored.

namespace secondlook::detect {

/// The key of a value, in float32; the key of a missing one is `missing`.
template <class Scalar>
std::uint32_t key_of(Scalar value, std::uint32_t missing) {
  constexpr auto kLargest = static_cast<Scalar>(std::numeric_limits<float>::max());
  const Scalar saturated = std::min(std::max(value, -kLargest), kLargest);
  const std::uint32_t key = ordered_key(static_cast<float>(saturated) + 0.0F);
  return value == value ? key : missing;
}

template <class Scalar>
void to_keys(const Scalar* values, std::size_t n, std::uint32_t missing, std::uint32_t* keys) {
  for (std::size_t i = 0; i < n; ++i) keys[i] = key_of(values[i], missing);
}

/// Column-major keys of some rows, the layout in which trees are grown.
struct KeyColumns {
  std::size_t n_rows = 0;
  std::vector<std::uint32_t> keys;
  std::vector<std::uint32_t> column_of;  ///< see `TreeSample::column_of`
};

template <class Scalar>
KeyColumns to_columns(MatrixView<Scalar> x, std::span<const std::uint32_t> rows) {
  // A few rows at a time: columns that lie a power of two apart would compete for cache lines.
  constexpr std::size_t kTile = 16;
  const auto n_features = static_cast<std::size_t>(x.cols());
  std::vector<std::uint32_t> tile(kTile * n_features);
  std::vector<std::uint32_t> columns(rows.size() * n_features);
  for (std::size_t begin = 0; begin < rows.size(); begin += kTile) {
    const std::size_t count = std::min(kTile, rows.size() - begin);
    for (std::size_t i = 0; i < count; ++i)
      to_keys(x.row(rows[begin + i]).data(), n_features, kMissingHigh, &tile[i * n_features]);
    for (std::size_t column = 0; column < n_features; ++column)
      for (std::size_t i = 0; i < count; ++i)
        columns[column * rows.size() + begin + i] = tile[i * n_features + column];
  }
  return {rows.size(), std::move(columns), {}};
}

/// Only columns that hold a value in one of the rows are stored.
template <class Scalar>
KeyColumns to_columns(const SparseView<Scalar>& x, std::span<const std::uint32_t> rows) {
  KeyColumns columns{rows.size(), {}, {}};
  columns.column_of.assign(static_cast<std::size_t>(x.cols), kAllZero);
  std::uint32_t n_columns = 0;
  for (const std::uint32_t row : rows)
    x.for_each_entry(row, [&](std::size_t feature, Scalar) {
      auto& column = columns.column_of[feature];
      if (column == kAllZero) column = n_columns++;
    });
  columns.keys.assign(rows.size() * n_columns, kZeroKey);
  for (std::size_t i = 0; i < rows.size(); ++i)
    x.for_each_entry(rows[i], [&](std::size_t feature, Scalar value) {
      columns.keys[columns.column_of[feature] * rows.size() + i] = key_of(value, kMissingHigh);
    });
  return columns;
}

/// Converts rows to keys in the kernel's layout, in thread-local buffers.
template <class Scalar>
class RowPacker {
 public:
  RowPacker(std::size_t n_features, bool route_missing)
      : n_features_(n_features), n_columns_(route_missing ? 2 * n_features : n_features) {}

  [[nodiscard]] std::size_t n_columns() const { return n_columns_; }

  void pack_row(const Scalar* row, std::uint32_t* keys) const {
    to_keys(row, n_features_, kMissingHigh, keys);
    if (n_columns_ > n_features_) to_keys(row, n_features_, kMissingLow, keys + n_features_);
  }

  // Unused lanes of the last group keep their old contents: their sums are not read.
  [[nodiscard]] PackedRows pack(MatrixView<Scalar> x) const {
    thread_local std::vector<std::uint32_t> keys;
    thread_local std::vector<std::uint32_t> row_keys;
    const auto n_rows = static_cast<std::size_t>(x.rows());
    const std::size_t n_groups = (n_rows + kGroupRows - 1) / kGroupRows;
    keys.resize(n_groups * n_columns_ * kGroupRows);
    row_keys.resize(n_columns_);
    for (std::size_t i = 0; i < n_rows; ++i) {
      pack_row(x.row(static_cast<Index>(i)).data(), row_keys.data());
      std::uint32_t* group = &keys[i / kGroupRows * n_columns_ * kGroupRows + i % kGroupRows];
      for (std::size_t column = 0; column < n_columns_; ++column)
        group[column * kGroupRows] = row_keys[column];
    }
    return {keys.data(), n_groups, n_columns_};
  }

 private:
  std::size_t n_features_;
  std::size_t n_columns_;
};

/// Converts sparse rows likewise, with only the columns that the trees of a forest split on; they
/// are renumbered, so `forest` takes the place of the one that was given.
template <class Scalar>
class SparseRowPacker {
 public:
  SparseRowPacker(const ForestView& forest, std::size_t n_features, bool route_missing)
      : n_features_(n_features),
        forest_(forest),
        nodes_(forest.nodes, forest.nodes + (forest.n_trees << forest.depth)),
        column_of_(route_missing ? 2 * n_features : n_features, kAllZero) {
    for (SplitNode& node : nodes_) {
      if (node.threshold == 0) {
        node.column = 0;
        continue;
      }
      auto& column = column_of_[node.column / kGroupRows];
      if (column == kAllZero) column = n_columns_++;
      node.column = column * kGroupRows;
    }
    n_columns_ = std::max(n_columns_, 1U);
    forest_.nodes = nodes_.data();
  }
  SparseRowPacker(const SparseRowPacker&) = delete;
  SparseRowPacker& operator=(const SparseRowPacker&) = delete;

  [[nodiscard]] const ForestView& forest() const { return forest_; }
  [[nodiscard]] std::size_t n_columns() const { return n_columns_; }

  [[nodiscard]] PackedRows pack(const SparseView<Scalar>& x, std::size_t begin,
                                std::size_t end) const {
    // All keys are those of zero, but for the filled ones, which the next call clears.
    thread_local std::vector<std::uint32_t> keys;
    thread_local std::vector<std::size_t> filled;
    const std::size_t n_groups = (end - begin + kGroupRows - 1) / kGroupRows;
    for (const std::size_t place : filled) keys[place] = kZeroKey;
    filled.clear();
    if (keys.size() < n_groups * n_columns_ * kGroupRows)
      keys.resize(n_groups * n_columns_ * kGroupRows, kZeroKey);
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t row = i - begin;
      const std::size_t first = row / kGroupRows * n_columns_ * kGroupRows + row % kGroupRows;
      const auto put = [&](std::size_t column, Scalar value, std::uint32_t missing) {
        const std::uint32_t packed = column_of_[column];
        if (packed == kAllZero) return;
        filled.push_back(first + std::size_t{packed} * kGroupRows);
        keys[filled.back()] = key_of(value, missing);
      };
      x.for_each_entry(i, [&](std::size_t feature, Scalar value) {
        put(feature, value, kMissingHigh);
        if (column_of_.size() > n_features_) put(n_features_ + feature, value, kMissingLow);
      });
    }
    return {keys.data(), n_groups, n_columns_};
  }

 private:
  std::size_t n_features_;
  ForestView forest_;
  std::vector<SplitNode> nodes_;
  std::vector<std::uint32_t> column_of_;
  std::uint32_t n_columns_ = 0;
};

}  // namespace secondlook::detect
