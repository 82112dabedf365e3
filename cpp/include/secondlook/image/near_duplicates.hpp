#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// 64 bits that say where an image grows brighter from left to right, on a grid of 8 × 8 ("dHash").
/// The same picture at another size, brightness or compression has nearly the same bits.
[[nodiscard]] SECONDLOOK_EXPORT std::uint64_t difference_hash(const Image& image);

/// Two images that look alike.
struct NearDuplicates {
  std::size_t first = 0;
  std::size_t second = 0;  ///< above `first`
  int distance = 0;        ///< bits in which their hashes differ

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
/// Hashes that near agree in one of the first `max_distance` + 1 bytes at least, so only those that
/// do are compared: of random hashes one in 85 with a distance of 2.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<NearDuplicates> near_duplicates(
    std::span<const std::uint64_t> hashes, int max_distance = 2);

/// Pairs of images that show the same picture: their hashes differ in 3 bits at most, and on a grid
/// of 32 × 32 brightness changes alike from each place to the next (a correlation of 0.95 at
/// least).
///
/// The hash alone cannot tell chest X-rays apart: of 2,500, 23,446 pairs of different patients are
/// within 3 bits, but none of those correlates by more than 0.81; copies do by 0.95 and more.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<NearDuplicates> find_near_duplicates(
    std::span<const Image> images);

}  // namespace secondlook
