#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <span>

namespace secondlook::image {

/// EXIF's Orientation, 1 to 8; 1, which is upright, where it says none.
/// @param exif  from its TIFF header on
[[nodiscard]] int exif_orientation(std::span<const std::byte> exif);

/// The image as a person is to see it.
/// @param orientation  as EXIF and TIFF number it; what is not 2 to 8 changes nothing
[[nodiscard]] cv::Mat upright(const cv::Mat& pixels, int orientation);

}  // namespace secondlook::image
