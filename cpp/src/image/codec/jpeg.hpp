#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

#include "image/codec/image_header.hpp"

namespace secondlook::image {

/// Decodes a JPEG through libjpeg, upright: grey, or red, green and blue, 8 bits.
///
/// What libjpeg only warns of, and fills with grey, is an error: bytes that are missing or changed
/// in the middle. Thread-safe.
/// @throws InvalidArgument that says what is wrong, without the image's name
[[nodiscard]] cv::Mat decode_jpeg(std::span<const std::byte> bytes, const ImageHeader& header);

}  // namespace secondlook::image
