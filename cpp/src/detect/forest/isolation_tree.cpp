#include "detect/forest/isolation_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace secondlook::detect {

namespace {

class TreeGrower {
 public:
  TreeGrower(const TreeSample& sample, unsigned depth, RandomStream& random, TreeView tree)
      : sample_(sample),
        depth_(depth),
        random_(random),
        tree_(tree),
        rows_(sample.rows.begin(), sample.rows.end()),
        moved_(rows_.size()),
        features_(sample.features.begin(), sample.features.end()) {}

  void grow() { grow(1, 0, 0, rows_.size(), features_.size()); }

 private:
  struct Range {
    std::uint32_t low = kMissingHigh;
    std::uint32_t high = kMissingLow;
    std::size_t n_missing = 0;
  };

  // `n_varying`: the first `n_varying` features may still vary; the others are constant in this
  // subtree.
  void grow(std::size_t node, unsigned level, std::size_t begin, std::size_t end,
            std::size_t n_varying) {
    tree_.covers[node] = static_cast<std::uint32_t>(end - begin);
    if (level == depth_ || end - begin <= 1) return make_leaf(node, level, end - begin);

    while (n_varying > 0) {
      const std::size_t index = random_.below(n_varying);
      const std::uint32_t feature = features_[index];
      const Range range = range_of(feature, begin, end);
      if (range.low < range.high) {
        const std::size_t middle = split(node, feature, range, begin, end);
        grow(2 * node + 1, level + 1, begin, middle, n_varying);
        grow(2 * node, level + 1, middle, end, n_varying);
        return;
      }
      // A constant feature stays constant in the whole subtree, which need not check it again.
      std::swap(features_[index], features_[--n_varying]);
    }
    make_leaf(node, level, end - begin);
  }

  void make_leaf(std::size_t node, unsigned level, std::size_t n_rows) {
    const std::size_t last_level = node << (depth_ - level);
    tree_.path_lengths[last_level - tree_.path_lengths.size()] =
        static_cast<float>(level + average_path_length(static_cast<double>(n_rows)));
  }

  [[nodiscard]] const std::uint32_t* keys(std::uint32_t feature) const {
    const auto& columns = sample_.column_of;
    return sample_.keys.data() +
           (columns.empty() ? feature : columns[feature]) * sample_.n_key_rows;
  }

  [[nodiscard]] Range range_of(std::uint32_t feature, std::size_t begin, std::size_t end) const {
    if (!sample_.column_of.empty() && sample_.column_of[feature] == kAllZero)
      return {kZeroKey, kZeroKey, 0};
    const std::uint32_t* key = keys(feature);
    Range range;
    std::uint32_t highest = kMissingLow;
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t value = key[rows_[i]];
      range.low = std::min(range.low, value);
      highest = std::max(highest, value);
    }
    if (highest != kMissingHigh) {
      range.high = highest;
      return range;
    }
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint32_t value = key[rows_[i]];
      if (value == kMissingHigh)
        ++range.n_missing;
      else
        range.high = std::max(range.high, value);
    }
    return range;
  }

  // Draws the threshold, writes the node and moves the rows that go to 2i + 1 to the front.
  std::size_t split(std::size_t node, std::uint32_t feature, const Range& range, std::size_t begin,
                    std::size_t end) {
    const double low = value_of_key(range.low);
    const double high = value_of_key(range.high);
    const auto drawn = static_cast<float>(low + random_.uniform() * (high - low));
    // In (low, high], so that neither side is empty. Adding zero turns −0 into +0.
    const std::uint32_t threshold =
        std::clamp(ordered_key(drawn + 0.0F), range.low + 1, range.high);

    const std::uint32_t* key = keys(feature);
    std::size_t n_below = 0;
    std::size_t n_above = 0;
    for (std::size_t i = begin; i < end; ++i) {  // branch-free: the side is unpredictable
      const std::uint32_t row = rows_[i];
      const bool below = key[row] < threshold;
      rows_[begin + n_below] = row;
      moved_[n_above] = row;
      n_below += below;
      n_above += !below;
    }
    std::copy_n(moved_.begin(), n_above,
                rows_.begin() + static_cast<std::ptrdiff_t>(begin + n_below));

    std::uint32_t column = feature;
    std::size_t middle = begin + n_below;
    if (sample_.route_missing && n_below > n_above - range.n_missing) {
      // Missing values sort above every threshold. Here the lower side is the larger one, so they
      // join it.
      column += sample_.n_features;
      const auto present =
          std::stable_partition(rows_.begin() + static_cast<std::ptrdiff_t>(middle),
                                rows_.begin() + static_cast<std::ptrdiff_t>(end),
                                [key](std::uint32_t row) { return key[row] == kMissingHigh; });
      middle = static_cast<std::size_t>(present - rows_.begin());
    }
    tree_.nodes[node] = {threshold, column * kGroupRows};
    return middle;
  }

  const TreeSample& sample_;
  const unsigned depth_;
  RandomStream& random_;
  TreeView tree_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> moved_;
  std::vector<std::uint32_t> features_;
};

}  // namespace

double average_path_length(double n) noexcept {
  if (n <= 1) return 0;
  if (n <= 2) return 1;
  return 2 * (std::log(n - 1) + std::numbers::egamma) - 2 * (n - 1) / n;
}

unsigned tree_depth(std::size_t n) noexcept {
  return n <= 2 ? 1 : static_cast<unsigned>(std::bit_width(n - 1));
}

void grow_tree(const TreeSample& sample, unsigned depth, RandomStream& random, TreeView tree) {
  TreeGrower(sample, depth, random, tree).grow();
}

}  // namespace secondlook::detect
