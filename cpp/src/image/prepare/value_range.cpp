#include "image/prepare/value_range.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/validation.hpp"

namespace secondlook::image {

namespace {

bool states_range(const Preprocessing& p) { return p.range != Preprocessing{}.range; }

}  // namespace

void require_values(std::string_view who, const Image& image, const Preprocessing& p) {
  const auto* values = std::get_if<std::vector<float>>(&image.pixels);
  if (values == nullptr) return;
  const auto n_wrong =
      std::ranges::count_if(*values, [](float value) { return !std::isfinite(value); });
  require(n_wrong == 0, "{}: expected {}, got NaN or infinity in {} of {} values", who,
          states_range(p) ? "finite values" : "floats in [0, 1]", n_wrong, values->size());
  const auto [low, high] = std::ranges::minmax(*values);
  require(states_range(p) || (low >= 0 && high <= 1),
          "{}: expected floats in [0, 1], got {} to {}; say which values become black and white by "
          "value_range, such as ({}, {})",
          who, low, high, std::floor(low), std::ceil(high));
}

cv::Mat within_range(const cv::Mat& pixels, const Preprocessing& p) {
  if (pixels.depth() == CV_8U) return pixels;
  if (pixels.depth() == CV_16U && !states_range(p)) return pixels;
  constexpr std::array<double, 2> all_floats = {0, 1};
  const auto [low, high] = states_range(p) ? p.range : all_floats;
  const double factor = 65535.0 / (high - low);
  cv::Mat result;
  pixels.convertTo(result, CV_16U, factor, -factor * low);
  return result;
}

}  // namespace secondlook::image
