#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// Difference hash ("dHash"): 64 bits that tell, on a grid of 8 × 8, where an image becomes
/// brighter from left to right. The same picture at another size, brightness or compression has
/// nearly the same bits.
[[nodiscard]] SECONDLOOK_EXPORT std::uint64_t difference_hash(const Image& image);

/// Two images that look alike.
struct NearDuplicates {
  std::size_t first = 0;
  std::size_t second = 0;  ///< greater than `first`
  int distance = 0;        ///< number of bits in which their hashes differ

  bool operator==(const NearDuplicates&) const = default;
};

template <FieldsOf<NearDuplicates> T>
void for_each_field(T& n, auto&& use) {
  use("first", n.first);
  use("second", n.second);
  use("distance", n.distance);
}
template <>
inline constexpr bool is_written_as_list<NearDuplicates> = true;

/// All pairs whose hashes differ in at most `max_distance` bits, 0 to 7, sorted.
///
/// Such hashes agree in at least one of the first `max_distance` + 1 bytes, so only those that do
/// are compared: with a distance of 2, one pair in 85 of random hashes.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<NearDuplicates> near_duplicates(
    std::span<const std::uint64_t> hashes, int max_distance = 2);

/// Pairs of images that show the same picture: their hashes differ in at most 3 bits, and on a grid
/// of 32 × 32 the changes of brightness between neighbouring cells correlate by at least 0.95.
///
/// The hash alone is not enough for chest X-rays: among 2,500 of them, 23,446 pairs of different
/// patients differ in at most 3 bits. None of these pairs correlates by more than 0.81, whereas
/// copies correlate by at least 0.95.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<NearDuplicates> find_near_duplicates(
    std::span<const Image> images);

}  // namespace secondlook
