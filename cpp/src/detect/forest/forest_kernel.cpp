#include "detect/forest/forest_kernel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/forest/forest_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "detect/forest/tree_step.hpp"

// Visiting a node costs three loads (column, threshold, key) with a latency of some 12 cycles. Many
// rows therefore descend a tree in step, without branches, and the load throughput is the limit. On
// the first four levels another way is cheaper: all 15 splits are evaluated for a vector of rows at
// once, from contiguous keys, and blends select those on the path. For 100 trees × 8 levels this
// leaves 400 node visits per row: 400 cycles at three loads per cycle, about 800 with everything
// else.

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr unsigned kVectorLevels = 4;

// Heap indices of the nodes that a group's rows reach after kVectorLevels levels.
inline void descend_vector(const SplitNode* nodes, const std::uint32_t* keys,
                           std::uint32_t* reached) {
  const hn::CappedTag<std::uint32_t, kGroupRows> d;
  using V = hn::Vec<decltype(d)>;
  for (std::size_t row = 0; row < kGroupRows; row += hn::Lanes(d)) {
    // All ones where a row's key is at least the threshold, so that the row continues to 2i. AVX2
    // cannot compare unsigned integers, but it has their maximum.
    const auto above = [&](std::size_t node) {
      const V key = hn::LoadU(d, keys + nodes[node].column + row);
      return hn::VecFromMask(d, hn::Eq(hn::Max(key, hn::Set(d, nodes[node].threshold)), key));
    };
    const auto choose = [&](V which, V yes, V no) {
      return hn::IfThenElse(hn::MaskFromVec(which), yes, no);
    };
    // All ones is −1.
    const auto child = [&](V node, V is_above) {
      return hn::Add(hn::Add(hn::Add(node, node), hn::Set(d, 1U)), is_above);
    };
    const V a1 = above(1);
    const V a2 = choose(a1, above(2), above(3));
    const auto third = [&](std::size_t i) { return choose(a2, above(i), above(i + 1)); };
    const V a3 = choose(a1, third(4), third(6));
    const auto fourth = [&](std::size_t i) { return choose(a3, above(i), above(i + 1)); };
    const auto pair = [&](std::size_t i) { return choose(a2, fourth(i), fourth(i + 2)); };
    const V a4 = choose(a1, pair(8), pair(12));
    hn::StoreU(child(child(child(child(hn::Set(d, 1U), a1), a2), a3), a4), d, reached + row);
  }
}

// Moves eight rows of a group down by `n_levels` further levels.
template <int kFirst>
inline void descend_scalar(const SplitNode* nodes, const std::uint32_t* keys,
                           std::uint32_t* reached, unsigned n_levels) {
  std::size_t n0 = reached[kFirst + 0], n1 = reached[kFirst + 1], n2 = reached[kFirst + 2],
              n3 = reached[kFirst + 3], n4 = reached[kFirst + 4], n5 = reached[kFirst + 5],
              n6 = reached[kFirst + 6], n7 = reached[kFirst + 7];
  for (unsigned level = 0; level < n_levels; ++level) {
    step<kFirst + 0>(nodes, keys, n0);
    step<kFirst + 1>(nodes, keys, n1);
    step<kFirst + 2>(nodes, keys, n2);
    step<kFirst + 3>(nodes, keys, n3);
    step<kFirst + 4>(nodes, keys, n4);
    step<kFirst + 5>(nodes, keys, n5);
    step<kFirst + 6>(nodes, keys, n6);
    step<kFirst + 7>(nodes, keys, n7);
  }
  std::uint32_t* out = reached + kFirst;
  const std::size_t ends[8] = {n0, n1, n2, n3, n4, n5, n6, n7};
  for (int i = 0; i < 8; ++i) out[i] = static_cast<std::uint32_t>(ends[i]);
}

void AddPathLengths(const ForestView& forest, const PackedRows& rows, double* sums) {
  const std::size_t tree_size = std::size_t{1} << forest.depth;
  const std::size_t group_size = rows.n_columns * kGroupRows;
  const bool vector_start = forest.depth >= kVectorLevels;
  const unsigned n_levels = vector_start ? forest.depth - kVectorLevels : forest.depth;
  for (std::size_t tree = 0; tree < forest.n_trees; ++tree) {
    const SplitNode* nodes = forest.nodes + tree * tree_size;
    const float* path_lengths = forest.path_lengths + tree * tree_size;
    for (std::size_t group = 0; group < rows.n_groups; ++group) {
      std::uint32_t reached[kGroupRows];
      if (vector_start)
        descend_vector(nodes, rows.keys + group * group_size, reached);
      else
        for (auto& node : reached) node = 1;
      descend_scalar<0>(nodes, rows.keys + group * group_size, reached, n_levels);
      descend_scalar<8>(nodes, rows.keys + group * group_size, reached, n_levels);
      float lengths[kGroupRows];
      for (std::size_t i = 0; i < kGroupRows; ++i)
        lengths[i] = path_lengths[reached[i] - tree_size];
      double* group_sums = sums + group * kGroupRows;
      for (std::size_t i = 0; i < kGroupRows; ++i) group_sums[i] += lengths[i];
    }
  }
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace secondlook::detect {

HWY_EXPORT(AddPathLengths);

void add_path_lengths(const ForestView& forest, const PackedRows& rows, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddPathLengths)(forest, rows, sums);
}

double path_length_sum(const ForestView& forest, const std::uint32_t* keys) {
  constexpr std::size_t kTreesInStep =
      4;  // as many as fit into registers; the processor overlaps further ones
  const std::size_t tree_size = std::size_t{1} << forest.depth;
  double sum = 0;
  std::size_t tree = 0;
  for (; tree + kTreesInStep <= forest.n_trees; tree += kTreesInStep) {
    const SplitNode* nodes = forest.nodes + tree * tree_size;
    const float* lengths = forest.path_lengths + tree * tree_size;
    std::size_t n0 = 1, n1 = 1, n2 = 1, n3 = 1;
    for (unsigned level = 0; level < forest.depth; ++level) {
      step<0>(nodes, keys, n0);
      step<0>(nodes + tree_size, keys, n1);
      step<0>(nodes + 2 * tree_size, keys, n2);
      step<0>(nodes + 3 * tree_size, keys, n3);
    }
    sum += lengths[n0 - tree_size];
    sum += lengths[n1];
    sum += lengths[n2 + tree_size];
    sum += lengths[n3 + 2 * tree_size];
  }
  for (; tree < forest.n_trees; ++tree) {
    std::size_t node = 1;
    for (unsigned level = 0; level < forest.depth; ++level)
      step<0>(forest.nodes + tree * tree_size, keys, node);
    sum += forest.path_lengths[tree * tree_size + node - tree_size];
  }
  return sum;
}

}  // namespace secondlook::detect
#endif
