#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace secondlook::image {

/// What the header of an encoded image says, read without decoding it.
struct ImageHeader {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  bool complete = true;  ///< whether the end of the image is there, where its format has one
};

/// Reads the header of a JPEG, PNG, TIFF or BMP; nothing where it is none of them or says no size.
/// Never reads past the bytes, whatever they hold.
[[nodiscard]] std::optional<ImageHeader> read_image_header(std::span<const std::byte> bytes);

}  // namespace secondlook::image
