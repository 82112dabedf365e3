#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "secondlook/core/export.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// Default for the largest number of pixels of an image: 100 million.
inline constexpr std::size_t kMaxPixels = 100'000'000;

/// Decodes JPEG, PNG, TIFF or BMP, recognised by content, not by file name. Thread-safe.
///
/// The orientation stated by EXIF or TIFF is applied, 16-bit values are kept, grey images stay
/// grey, opacity is dropped, and zero is black even if a TIFF stores it as white. Signed values,
/// 32-bit values and floats of a TIFF, such as temperatures, are returned unchanged, as 32-bit
/// floats. The size is read from the header first, so that nothing is allocated for an image of
/// more than `max_pixels`. A truncated or damaged file is an error; no partial image is returned.
///
/// @param bytes  the encoded image
/// @param name   name of the image in error messages
/// @param page   page of a TIFF, counted from 0 without thumbnails; may be left out if there is
/// only
///   one
/// @throws InvalidArgument when the format is unknown, the image is damaged or too large, or it has
///   several pages and none is chosen
[[nodiscard]] SECONDLOOK_EXPORT Image decode_image(std::span<const std::byte> bytes,
                                                   std::string_view name = "<bytes>",
                                                   std::size_t max_pixels = kMaxPixels,
                                                   std::optional<std::size_t> page = {});

/// As above, from a file.
///
/// @throws FileError when the file cannot be read; InvalidArgument as above. Both name the file.
[[nodiscard]] SECONDLOOK_EXPORT Image read_image(const std::filesystem::path& file,
                                                 std::size_t max_pixels = kMaxPixels,
                                                 std::optional<std::size_t> page = {});

}  // namespace secondlook
