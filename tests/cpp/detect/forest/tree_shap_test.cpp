#include "detect/forest/tree_shap.hpp"

#include <bit>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/random.hpp"

using namespace secondlook::detect;
using secondlook::RandomStream;

namespace {

// A small tree with its training data.
struct GrownTree {
  GrownTree(std::size_t n_rows, std::uint32_t columns, std::uint64_t seed)
      : depth(tree_depth(n_rows)),
        nodes(std::size_t{1} << depth),
        lengths(nodes.size()),
        covers(2 * nodes.size()),
        n_features(columns) {
    RandomStream random(seed);
    std::vector<std::uint32_t> features(n_features);
    for (std::uint32_t f = 0; f < n_features; ++f) features[f] = f;
    keys.resize(n_rows * n_features);
    for (auto& key : keys) key = ordered_key(static_cast<float>(random.below(20)));
    std::vector<std::uint32_t> rows(n_rows);
    for (std::uint32_t i = 0; i < n_rows; ++i) rows[i] = i;
    grow_tree({keys, n_rows, rows, features, n_features, false}, depth, random, view());
  }

  TreeView view() { return {nodes, lengths, covers}; }

  // Mean path length if only the features in `known` are known; the others follow the distribution
  // in the tree.
  double conditional(std::size_t node, unsigned level, const std::vector<std::uint32_t>& row,
                     unsigned known) {
    if (level == depth || nodes[node].threshold == 0)
      return lengths[(node << (depth - level)) - lengths.size()];
    const std::uint32_t feature = nodes[node].column / kGroupRows;
    if ((known >> feature & 1U) != 0)
      return conditional(2 * node + (row[feature] < nodes[node].threshold), level + 1, row, known);
    const double fraction = static_cast<double>(covers[2 * node]) / covers[node];
    return fraction * conditional(2 * node, level + 1, row, known) +
           (1 - fraction) * conditional(2 * node + 1, level + 1, row, known);
  }

  unsigned depth;
  std::vector<SplitNode> nodes;
  std::vector<float> lengths;
  std::vector<std::uint32_t> covers;
  std::vector<std::uint32_t> keys;
  std::uint32_t n_features;
};

double factorial(unsigned n) { return n <= 1 ? 1 : n * factorial(n - 1); }

}  // namespace

TEST_CASE("add_tree_shap: equals the definition of Shapley values") {
  const auto n_features = GENERATE(1U, 2U, 4U, 6U);
  const auto seed = GENERATE(range(0U, 10U));
  GrownTree tree(40, n_features, seed);
  RandomStream random(seed, 1);
  std::vector<std::uint32_t> row(n_features);
  for (auto& key : row) key = ordered_key(static_cast<float>(random.below(24)) - 2);

  std::vector<double> fast(n_features);
  add_tree_shap(tree.view(), tree.depth, row.data(), fast);
  for (unsigned feature = 0; feature < n_features; ++feature) {
    double expected = 0;
    for (unsigned subset = 0; subset < 1U << n_features; ++subset) {
      if ((subset >> feature & 1U) != 0) continue;
      const auto size = static_cast<unsigned>(std::popcount(subset));
      const double weight =
          factorial(size) * factorial(n_features - size - 1) / factorial(n_features);
      expected += weight * (tree.conditional(1, 0, row, subset | 1U << feature) -
                            tree.conditional(1, 0, row, subset));
    }
    REQUIRE(fast[feature] == Approx(expected).margin(1e-9));
  }
  REQUIRE(expected_path_length(tree.view(), tree.depth) ==
          Approx(tree.conditional(1, 0, row, 0)).epsilon(1e-9));
}
