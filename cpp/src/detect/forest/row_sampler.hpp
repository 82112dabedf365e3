#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/random.hpp"

namespace secondlook::detect {

/// Draws the rows that a tree is grown on, each with a probability in proportion to its weight.
class RowSampler {
 public:
  /// @param weights one per row, finite, at least 0 and one of them positive; empty: all equal
  /// @param replace whether a row may be drawn more than once
  RowSampler(std::size_t n_rows, std::span<const double> weights, bool replace);

  /// Number of rows that may be drawn.
  [[nodiscard]] std::size_t n_drawable() const noexcept { return n_drawable_; }
  /// Weights that are not all equal, or none.
  [[nodiscard]] std::span<const double> weights() const noexcept { return weights_; }

  /// `n` rows, at most `n_drawable`, in no particular order.
  [[nodiscard]] std::vector<std::uint32_t> draw(std::size_t n, RandomStream& random) const;

 private:
  [[nodiscard]] std::vector<std::uint32_t> draw_distinct(std::size_t n, RandomStream& random) const;
  [[nodiscard]] std::vector<std::uint32_t> draw_by_weight(std::size_t n,
                                                          RandomStream& random) const;

  std::size_t n_rows_;
  std::size_t n_drawable_;
  bool replace_;
  std::span<const double> weights_;
  std::vector<double> cumulative_;  // of the weights, to draw with replacement
};

}  // namespace secondlook::detect
