#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

#include "image/codec/image_header.hpp"

namespace secondlook::image {

/// Decodes the page of a TIFF that the header describes, with libtiff, and applies its orientation:
/// grey, or red, green and blue.
///
/// Unsigned values of up to 8 bits are scaled to 8 bits, those of up to 16 bits to 16, and zero is
/// black however they are stored. Signed values, 32-bit values and floats are physical values,
/// returned unchanged as 32-bit floats. Opacity is dropped; colours multiplied by it are divided
/// again. Thread-safe.
/// @throws InvalidArgument with the reason, without the name of the image
[[nodiscard]] cv::Mat decode_tiff(std::span<const std::byte> bytes, const ImageHeader& header);

}  // namespace secondlook::image
