#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

#include "image/codec/image_header.hpp"

namespace secondlook::image {

/// Decodes the page of a TIFF that the header is of, through libtiff, upright: grey, or red, green
/// and blue.
///
/// Unsigned values of up to 8 bits fill 8 bits, those of up to 16 fill 16, and zero is black
/// whichever way they are stored. Signed ones, those of 32 bits and floats are physical values and
/// come as they are, as 32-bit floats. Opacity is left out; colours that were multiplied with it
/// are divided again. Thread-safe.
/// @throws InvalidArgument that says what is wrong or not supported, without the image's name
[[nodiscard]] cv::Mat decode_tiff(std::span<const std::byte> bytes, const ImageHeader& header);

}  // namespace secondlook::image
