#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "secondlook/image/image.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook::image {

/// @throws InvalidArgument, its message beginning with `who`, unless floats are finite and, with
/// the
///   default `range`, in [0, 1]
void require_values(std::string_view who, const Image& image, const Preprocessing& preprocessing);

/// Maps 16-bit values and floats by `range` to 16 bits from black to white; returns 8-bit values
/// unchanged.
[[nodiscard]] cv::Mat within_range(const cv::Mat& pixels, const Preprocessing& preprocessing);

}  // namespace secondlook::image
