#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "secondlook/core/export.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// The most pixels that an image may have unless the caller says otherwise: 100 million.
inline constexpr std::size_t kMaxPixels = 100'000'000;

/// Decodes JPEG, PNG, TIFF or BMP, whatever the file is called. Thread-safe.
///
/// The orientation that EXIF or TIFF states is applied, 16-bit values are kept, grey images stay
/// grey, opacity is dropped, and zero is black also where a TIFF stores it as white. Signed values,
/// those of 32 bits and floats of a TIFF, such as temperatures, come as they are, as 32-bit floats.
/// The size is read from the header first, so that nothing is allocated for an image of more than
/// `max_pixels`. A file that was cut off, or that the decoder finds damaged, is an error, not a
/// part of the image.
///
/// @param bytes  the encoded image
/// @param name   what errors call the image
/// @param page   of a TIFF of several pages, counted from 0 without thumbnails; nothing: there has
///   to be one page only
/// @throws InvalidArgument where the bytes are no image that we read, or a damaged or too large
/// one,
///   or have several pages of which none is chosen
[[nodiscard]] SECONDLOOK_EXPORT Image decode_image(std::span<const std::byte> bytes,
                                                   std::string_view name = "<bytes>",
                                                   std::size_t max_pixels = kMaxPixels,
                                                   std::optional<std::size_t> page = {});

/// As above, from a file.
///
/// @throws FileError where it cannot be read; InvalidArgument as above. Both name the file.
[[nodiscard]] SECONDLOOK_EXPORT Image read_image(const std::filesystem::path& file,
                                                 std::size_t max_pixels = kMaxPixels,
                                                 std::optional<std::size_t> page = {});

}  // namespace secondlook
