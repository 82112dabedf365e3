#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace secondlook::image {

enum class Endian { little, big };

/// An unsigned number of `n` bytes; empty if the bytes end before.
[[nodiscard]] std::optional<std::uint64_t> number(std::span<const std::byte> bytes,
                                                  std::uint64_t at, std::size_t n, Endian endian);

/// A directory of a TIFF or BigTIFF, or of EXIF, which has the same format: a list of tags. Never
/// reads past the bytes, whatever they contain.
class TiffDirectory {
 public:
  /// The first directory; empty if the bytes do not begin like a TIFF, or end before it.
  [[nodiscard]] static std::optional<TiffDirectory> first(std::span<const std::byte> bytes);

  /// The first value of a tag; empty if the tag is missing or not a whole number.
  [[nodiscard]] std::optional<std::uint64_t> value(std::uint16_t tag) const;

  /// Offset of the next directory; 0 if this is the last.
  [[nodiscard]] std::uint64_t next_offset() const;

  /// The directory at `offset`; empty if the bytes end before it.
  [[nodiscard]] std::optional<TiffDirectory> at(std::uint64_t offset) const;

  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  TiffDirectory(std::span<const std::byte> bytes, Endian endian, bool big)
      : bytes_(bytes), endian_(endian), big_(big) {}

  [[nodiscard]] std::size_t count_bytes() const { return big_ ? 8 : 2; }
  [[nodiscard]] std::size_t tag_bytes() const { return big_ ? 20 : 12; }

  std::span<const std::byte> bytes_;
  Endian endian_;
  bool big_;  // BigTIFF: counts and offsets of 8 bytes
  std::uint64_t offset_ = 0;
  std::uint64_t n_tags_ = 0;
};

}  // namespace secondlook::image
