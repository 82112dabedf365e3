#pragma once

#include <opencv2/core.hpp>

namespace secondlook::image {

/// Whole range of the type: 255 or 65535.
[[nodiscard]] inline double largest_value(const cv::Mat& pixels) {
  return pixels.depth() == CV_8U ? 255.0 : 65535.0;
}

/// The values between the percentiles at `clipped_fraction` from either end fill the whole range;
/// colours together, so that hues stay.
[[nodiscard]] cv::Mat stretch(const cv::Mat& pixels, double clipped_fraction);

/// CLAHE of the brightness, with tiles of an eighth of the image but no less than 16 pixels a side.
[[nodiscard]] cv::Mat clahe(const cv::Mat& pixels, double clip_limit);

}  // namespace secondlook::image
