#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

#include "image/codec/image_header.hpp"

namespace secondlook::image {

/// Decodes a JPEG with libjpeg and applies its orientation: grey, or red, green and blue, 8 bits.
///
/// Bytes missing or changed in the middle are an error; libjpeg only warns and fills with grey.
/// Thread-safe.
/// @throws InvalidArgument with the reason, without the name of the image
[[nodiscard]] cv::Mat decode_jpeg(std::span<const std::byte> bytes, const ImageHeader& header);

}  // namespace secondlook::image
