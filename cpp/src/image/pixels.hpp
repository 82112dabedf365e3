#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "secondlook/image/image.hpp"

namespace secondlook::image {

/// The image's own memory as OpenCV sees it; not to be written to.
[[nodiscard]] cv::Mat as_mat(const Image& image);

/// A copy of 8- or 16-bit values of one or three channels.
[[nodiscard]] Image to_image(const cv::Mat& pixels);

/// Checks that the number of values is what the sizes make, and that there is at least one.
/// @throws InvalidArgument otherwise
void require_image(std::string_view who, const Image& image);

}  // namespace secondlook::image
