#pragma once

#include <cstddef>
#include <cstdint>

#include "detect/forest/isolation_tree.hpp"

namespace secondlook::detect {

/// Moves row `kRow` of a group from a tree node to its child. `keys` are the keys of the group.
#if defined(__x86_64__) && defined(__GNUC__)
// The comparison leaves its result in the carry flag; one add-with-carry doubles the index and adds
// the flag. Compilers do not find this and also spill the row offsets: it saves a quarter of the
// time.
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
