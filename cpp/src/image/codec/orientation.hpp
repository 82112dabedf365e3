#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

namespace secondlook::image {

/// The EXIF orientation, 1 to 8; 1 (upright) if it is not stated.
/// @param exif  the EXIF block, starting at its TIFF header
[[nodiscard]] int exif_orientation(std::span<const std::byte> exif);

/// Applies an orientation to an image.
/// @param orientation  number in EXIF and TIFF; values other than 2 to 8 change nothing
[[nodiscard]] cv::Mat upright(const cv::Mat& pixels, int orientation);

}  // namespace secondlook::image
