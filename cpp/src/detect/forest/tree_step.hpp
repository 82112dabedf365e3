#pragma once

#include <cstddef>
#include <cstdint>

#include "detect/forest/isolation_tree.hpp"

namespace secondlook::detect {

/// Takes row `kRow` of a group from a node of a tree to its child. `keys` are the group's.
#if defined(__x86_64__) && defined(__GNUC__)
// The compare leaves the bit in the carry, and one addition doubles the index and takes it in.
// Compilers do not find this, and spill the row offsets besides: it is worth a quarter of the time.
template <int kRow>
inline void step(const SplitNode* nodes, const std::uint32_t* keys, std::size_t& node) {
  const std::uint32_t threshold = nodes[node].threshold;
  const std::size_t column = nodes[node].column;
  asm("cmpl %[threshold], %c[row](%[keys],%[column],4)\n\tadcq %[node], %[node]"
      : [node] "+r"(node)
      : [threshold] "r"(threshold), [keys] "r"(keys), [column] "r"(column), [row] "i"(kRow * 4)
      : "cc", "memory");
}
#else
template <int kRow>
inline void step(const SplitNode* nodes, const std::uint32_t* keys, std::size_t& node) {
  node = 2 * node + (keys[nodes[node].column + kRow] < nodes[node].threshold);
}
#endif

}  // namespace secondlook::detect
