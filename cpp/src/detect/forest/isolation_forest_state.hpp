#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/validation.hpp"
#include "detect/forest/forest_kernel.hpp"
#include "detect/forest/isolation_tree.hpp"
#include "secondlook/detect/isolation_forest.hpp"

namespace secondlook {

struct IsolationForest::State {
  struct Trees {
    std::vector<detect::SplitNode> nodes;
    std::vector<float> path_lengths;
    std::vector<std::uint32_t> covers;
  };

  std::size_t n_features = 0;
  std::size_t subsample_size = 0;
  unsigned depth = 0;
  std::size_t n_trees = 0;
  std::uint64_t n_grown = 0;  // trees grown so far: index of the next tree's random stream
  std::size_t oldest = 0;     // the tree that is replaced next
  // Copies share the trees, so that collecting rows on a copy is cheap. Call `own_trees` before
  // changing them.
  std::shared_ptr<Trees> trees = std::make_shared<Trees>();
  std::vector<float> pending;  // rows that partial_fit has collected
  double offset = -0.5;
  bool offset_is_stale = false;

  [[nodiscard]] std::size_t tree_size() const { return std::size_t{1} << depth; }

  void own_trees() { trees = std::make_shared<Trees>(*trees); }

  void resize(std::size_t n) {
    n_trees = n;
    trees->nodes.resize(n * tree_size());
    trees->path_lengths.resize(n * tree_size());
    trees->covers.resize(n * tree_size() * 2);
  }

  detect::TreeView tree(std::size_t i) {
    const std::size_t size = tree_size();
    return {{trees->nodes.data() + i * size, size},
            {trees->path_lengths.data() + i * size, size},
            {trees->covers.data() + i * size * 2, size * 2}};
  }

  void clear_tree(std::size_t i) {
    const auto view = tree(i);
    std::ranges::fill(view.nodes, detect::SplitNode{});
    std::ranges::fill(view.path_lengths, 0.0F);
    std::ranges::fill(view.covers, 0U);
  }

  /// Function from the sum of a row's path lengths to its score.
  [[nodiscard]] auto scorer() const {
    const double average = detect::average_path_length(static_cast<double>(subsample_size));
    const auto n = static_cast<double>(n_trees);
    // A tree grown on equal rows is a single leaf with the average path length in float32. Such
    // rows are as normal as possible: rounding must not move their score away from -0.5.
    const double single_leaf_sum = n * static_cast<double>(static_cast<float>(average));
    return [longest = n * average, single_leaf_sum](double sum) {
      return sum == single_leaf_sum ? -0.5 : -std::exp2(-sum / longest);
    };
  }

  [[nodiscard]] detect::ForestView view() const {
    return {trees->nodes.data(), trees->path_lengths.data(), n_trees, depth};
  }

  /// Checks that another forest's trees can stand beside these.
  void require_alike(const char* who, const State& other) const {
    require(other.n_features == n_features, "{}: expected a forest over {} features, got {}", who,
            n_features, other.n_features);
    require(other.subsample_size == subsample_size,
            "{}: expected a forest grown on {} rows per tree, got {}", who, subsample_size,
            other.subsample_size);
  }

  /// Takes the trees of such a forest as the first ones.
  void copy_trees(const State& from) {
    std::ranges::copy(from.trees->nodes, trees->nodes.begin());
    std::ranges::copy(from.trees->path_lengths, trees->path_lengths.begin());
    std::ranges::copy(from.trees->covers, trees->covers.begin());
  }
};

}  // namespace secondlook
