#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "secondlook/image/image.hpp"

namespace secondlook::image {

/// The image's own memory as OpenCV sees it; not to be written to.
[[nodiscard]] cv::Mat as_mat(const Image& image);

/// A copy of values of 8 or 16 bits or floats, of one or three channels.
[[nodiscard]] Image to_image(const cv::Mat& pixels);

/// Checks that the number of values is what the sizes make, and that there is at least one.
/// @throws InvalidArgument otherwise
void require_image(std::string_view who, const Image& image);

/// As above, and that its values go from black to white: 8 or 16 bits, not floats.
void require_picture(std::string_view who, const Image& image);

}  // namespace secondlook::image
