#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace secondlook::image {

enum class ImageFormat { jpeg, png, tiff, bmp };

/// What the header of an encoded image says, read without decoding it.
struct ImageHeader {
  ImageFormat format = ImageFormat::jpeg;
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  bool complete = true;         ///< whether the end of the image is there, where its format has one
  std::size_t n_pages = 1;      ///< pages of a TIFF without thumbnails and masks, frames of a PNG
  std::uint64_t directory = 0;  ///< TIFF: where the page's directory begins
  std::uint64_t end = 0;        ///< JPEG: where the end marker is
  bool is_grey = false;         ///< PNG: has no colours, though it may have opacity
};

/// Reads the header of a JPEG, PNG, TIFF or BMP; nothing where it is none of them or says no size.
/// Never reads past the bytes, whatever they hold.
/// @param page  whose size is wanted, of a TIFF of several pages; the first where there is no such
[[nodiscard]] std::optional<ImageHeader> read_image_header(std::span<const std::byte> bytes,
                                                           std::size_t page = 0);

}  // namespace secondlook::image
