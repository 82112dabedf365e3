#include "detect/forest/tree_shap.hpp"

#include <array>

namespace secondlook::detect {

namespace {

constexpr std::int64_t kNoFeature = -1;
constexpr std::size_t kMaxDepth = 64;

// A feature on the path to a node: the fraction of the sample that passes its splits if the feature
// is unknown, whether the row itself passes them, and the weight of subsets of each size.
struct Step {
  std::int64_t feature;
  double zero_fraction;
  double one_fraction;
  double weight;
};

class Path {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Step& operator[](std::size_t i) const { return steps_[i]; }

  void extend(double zero_fraction, double one_fraction, std::int64_t feature) {
    const std::size_t last = size_++;
    steps_[last] = {feature, zero_fraction, one_fraction, last == 0 ? 1.0 : 0.0};
    const auto n = static_cast<double>(last + 1);
    for (std::size_t i = last; i-- > 0;) {
      steps_[i + 1].weight += one_fraction * steps_[i].weight * static_cast<double>(i + 1) / n;
      steps_[i].weight *= zero_fraction * static_cast<double>(last - i) / n;
    }
  }

  // Removes step i, as if its feature were not on the path.
  void unwind(std::size_t i) {
    const auto weights = weights_without(i);
    const std::size_t last = size_ - 1;
    for (std::size_t j = 0; j < last; ++j) steps_[j].weight = weights[j];
    for (std::size_t j = i; j < last; ++j) {
      steps_[j].feature = steps_[j + 1].feature;
      steps_[j].zero_fraction = steps_[j + 1].zero_fraction;
      steps_[j].one_fraction = steps_[j + 1].one_fraction;
    }
    --size_;
  }

  [[nodiscard]] double weight_without(std::size_t i) const {
    const auto weights = weights_without(i);
    double sum = 0;
    for (std::size_t j = 0; j + 1 < size_; ++j) sum += weights[j];
    return sum;
  }

 private:
  [[nodiscard]] std::array<double, kMaxDepth + 2> weights_without(std::size_t i) const {
    std::array<double, kMaxDepth + 2> weights;
    const std::size_t last = size_ - 1;
    const double one = steps_[i].one_fraction;
    const double zero = steps_[i].zero_fraction;
    const auto n = static_cast<double>(last + 1);
    double next = steps_[last].weight;
    for (std::size_t j = last; j-- > 0;) {
      const auto remaining = static_cast<double>(last - j);
      if (one != 0) {
        weights[j] = next * n / (static_cast<double>(j + 1) * one);
        next = steps_[j].weight - weights[j] * zero * remaining / n;
      } else {
        weights[j] = steps_[j].weight * n / (zero * remaining);
      }
    }
    return weights;
  }

  std::array<Step, kMaxDepth + 2> steps_;
  std::size_t size_ = 0;
};

struct Walk {
  const TreeView& tree;
  const unsigned depth;
  const std::uint32_t* keys;
  std::span<double> contributions;

  void visit(std::size_t node, unsigned level, Path path, double zero, double one,
             std::int64_t feature) {
    path.extend(zero, one, feature);
    const bool is_leaf = level == depth || tree.nodes[node].threshold == 0;
    if (is_leaf) {
      const std::size_t last_level = node << (depth - level);
      const double value = tree.path_lengths[last_level - tree.path_lengths.size()];
      for (std::size_t i = 1; i < path.size(); ++i)
        contributions[static_cast<std::size_t>(path[i].feature)] +=
            path.weight_without(i) * (path[i].one_fraction - path[i].zero_fraction) * value;
      return;
    }

    const SplitNode split = tree.nodes[node];
    const std::size_t column = split.column / kGroupRows;
    const auto split_feature = static_cast<std::int64_t>(column % contributions.size());
    const std::size_t hot = 2 * node + (keys[column] < split.threshold);
    const std::size_t cold = hot ^ 1;

    double zero_before = 1;
    double one_before = 1;
    for (std::size_t i = 1; i < path.size(); ++i) {
      if (path[i].feature != split_feature) continue;
      zero_before = path[i].zero_fraction;
      one_before = path[i].one_fraction;
      path.unwind(i);
      break;
    }
    const double cover = tree.covers[node];
    visit(hot, level + 1, path, zero_before * tree.covers[hot] / cover, one_before, split_feature);
    visit(cold, level + 1, path, zero_before * tree.covers[cold] / cover, 0, split_feature);
  }
};

}  // namespace

void add_tree_shap(const TreeView& tree, unsigned depth, const std::uint32_t* keys,
                   std::span<double> contributions) {
  Walk{tree, depth, keys, contributions}.visit(1, 0, Path{}, 1, 1, kNoFeature);
}

double expected_path_length(const TreeView& tree, unsigned depth) {
  double sum = 0;
  const auto visit = [&](const auto& self, std::size_t node, unsigned level) -> void {
    if (level == depth || tree.nodes[node].threshold == 0) {
      const std::size_t last_level = node << (depth - level);
      sum += static_cast<double>(tree.covers[node]) *
             tree.path_lengths[last_level - tree.path_lengths.size()];
      return;
    }
    self(self, 2 * node, level + 1);
    self(self, 2 * node + 1, level + 1);
  };
  visit(visit, 1, 0);
  return sum / tree.covers[1];
}

}  // namespace secondlook::detect
