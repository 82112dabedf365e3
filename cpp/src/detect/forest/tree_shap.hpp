#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "detect/forest/isolation_tree.hpp"

namespace secondlook::detect {

/// Path-dependent TreeSHAP of one tree's path length for one row (Lundberg et al. 2020, algorithm
/// 2). Adds each feature's contribution to `contributions`; their sum is the row's path length
/// minus the mean over the tree's sample.
/// @param keys keys of the row, one per column; column c belongs to feature c mod n_features
void add_tree_shap(const TreeView& tree, unsigned depth, const std::uint32_t* keys,
                   std::span<double> contributions);

/// Mean path length over the tree's sample.
[[nodiscard]] double expected_path_length(const TreeView& tree, unsigned depth);

}  // namespace secondlook::detect
