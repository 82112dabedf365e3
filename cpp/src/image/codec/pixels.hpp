#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "secondlook/image/image.hpp"

namespace secondlook::image {

/// An OpenCV matrix over the memory of the image, which must not be written to.
[[nodiscard]] cv::Mat as_mat(const Image& image);

/// Copies a matrix of 8-bit, 16-bit or float values with one or three channels.
[[nodiscard]] Image to_image(const cv::Mat& pixels);

/// Checks that the number of values matches the size, which must be at least 1 × 1.
/// @throws InvalidArgument otherwise
void require_image(std::string_view who, const Image& image);

/// Checks also that values are of 8 or 16 bits, not floats.
void require_picture(std::string_view who, const Image& image);

}  // namespace secondlook::image
