#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "secondlook/core/export.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// The most pixels that an image may have unless the caller says otherwise: 100 million.
inline constexpr std::size_t kMaxPixels = 100'000'000;

/// Decodes JPEG, PNG, TIFF (its first page) or BMP. Thread-safe.
///
/// The orientation that EXIF or TIFF states is applied, 16-bit values are kept, grey images stay
/// grey, transparency is dropped. The size is read from the header first, so that nothing is
/// allocated for an image of more than `max_pixels`; a file that was cut off is an error, not half
/// an image.
///
/// @param bytes  the encoded image
/// @param name   what errors call the image
/// @throws InvalidArgument where the bytes are no image that we read, or a broken or too large one
[[nodiscard]] SECONDLOOK_EXPORT Image decode_image(std::span<const std::byte> bytes,
                                                   std::string_view name = "<bytes>",
                                                   std::size_t max_pixels = kMaxPixels);

/// As above, from a file.
///
/// @throws FileError where it cannot be read; InvalidArgument as above. Both name the file.
[[nodiscard]] SECONDLOOK_EXPORT Image read_image(const std::filesystem::path& file,
                                                 std::size_t max_pixels = kMaxPixels);

}  // namespace secondlook
