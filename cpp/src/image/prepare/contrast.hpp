#pragma once

#include <opencv2/core.hpp>

namespace secondlook::image {

/// Largest value of the type: 255 or 65535.
[[nodiscard]] inline double largest_value(const cv::Mat& pixels) {
  return pixels.depth() == CV_8U ? 255.0 : 65535.0;
}

/// Stretches the values between the quantiles at `clipped_fraction` from either end to the whole
/// range, the same way for all colours, which preserves hues. An image of a single value is
/// returned unchanged.
[[nodiscard]] cv::Mat stretch(const cv::Mat& pixels, double clipped_fraction);

/// CLAHE of the brightness, with tiles of an eighth of the image but at least 16 pixels per side.
[[nodiscard]] cv::Mat clahe(const cv::Mat& pixels, double clip_limit);

}  // namespace secondlook::image
