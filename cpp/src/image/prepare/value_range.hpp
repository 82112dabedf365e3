#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "secondlook/image/image.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook::image {

/// Checks that floats are finite, and in [0, 1] where `range` does not say what is black and white.
/// @throws InvalidArgument otherwise
void require_values(std::string_view who, const Image& image, const Preprocessing& preprocessing);

/// 16-bit values and floats as 16-bit values from black to white; 8-bit values as they are.
[[nodiscard]] cv::Mat within_range(const cv::Mat& pixels, const Preprocessing& preprocessing);

}  // namespace secondlook::image
