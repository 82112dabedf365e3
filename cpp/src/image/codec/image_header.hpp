#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace secondlook::image {

enum class ImageFormat { jpeg, png, tiff, bmp };

/// Header of an encoded image, read without decoding it.
struct ImageHeader {
  ImageFormat format = ImageFormat::jpeg;
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  bool complete = true;         ///< whether the end of the image is present, if its format has one
  std::size_t n_pages = 1;      ///< pages of a TIFF without thumbnails and masks, frames of a PNG
  std::uint64_t directory = 0;  ///< TIFF: offset of the directory of the page
  std::uint64_t end = 0;        ///< JPEG: offset of the end marker
  bool is_grey = false;         ///< PNG: no colours, possibly opacity
};

/// Reads the header of a JPEG, PNG, TIFF or BMP; empty for other formats, or without a size. Never
/// reads past the bytes, whatever they contain.
/// @param page  page of a TIFF; if it does not exist, the first is read
[[nodiscard]] std::optional<ImageHeader> read_image_header(std::span<const std::byte> bytes,
                                                           std::size_t page = 0);

}  // namespace secondlook::image
