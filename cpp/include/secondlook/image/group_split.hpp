#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Indices of the samples trained on and of those held out, both sorted.
struct GroupSplit {
  std::vector<std::size_t> training;
  std::vector<std::size_t> validation;
};

/// Draws whole groups at random until each class has its fraction among the samples held out. No
/// group is on both sides, and no class loses its last group to the samples held out; so none may
/// be held out.
/// @param labels per sample, from 0 to 999999
/// @param groups one number per sample; empty: every sample is its own group
/// @param fraction in [0, 1)
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT GroupSplit split_by_group(std::span<const std::int64_t> labels,
                                                          std::span<const std::int64_t> groups,
                                                          double fraction, std::uint64_t seed);

}  // namespace secondlook
