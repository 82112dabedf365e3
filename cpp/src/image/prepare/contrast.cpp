#include "image/prepare/contrast.hpp"

#include <algorithm>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace secondlook::image {

namespace {

template <class Value>
std::vector<std::size_t> histogram(const cv::Mat& pixels) {
  std::vector<std::size_t> counts(std::size_t{1} << (8 * sizeof(Value)));
  const int row_values = pixels.cols * pixels.channels();
  for (int row = 0; row < pixels.rows; ++row) {
    const auto* values = pixels.ptr<Value>(row);
    for (int i = 0; i < row_values; ++i) ++counts[values[i]];
  }
  return counts;
}

}  // namespace

cv::Mat stretch(const cv::Mat& pixels, double clipped_fraction) {
  const auto counts =
      pixels.depth() == CV_8U ? histogram<std::uint8_t>(pixels) : histogram<std::uint16_t>(pixels);
  const double n_values = static_cast<double>(pixels.total()) * pixels.channels();
  const auto n_clipped = static_cast<std::size_t>(clipped_fraction * n_values);
  const auto first_beyond = [&](auto begin, auto end) {
    std::size_t seen = 0;
    return std::find_if(begin, end, [&](std::size_t count) { return (seen += count) > n_clipped; });
  };
  const auto low = first_beyond(counts.begin(), counts.end()) - counts.begin();
  const auto high = counts.rend() - first_beyond(counts.rbegin(), counts.rend()) - 1;
  if (high <= low) return pixels;  // a single value, which cannot be stretched
  const double factor = largest_value(pixels) / static_cast<double>(high - low);
  cv::Mat stretched;
  pixels.convertTo(stretched, -1, factor, -factor * static_cast<double>(low));
  return stretched;
}

cv::Mat clahe(const cv::Mat& pixels, double clip_limit) {
  const auto tiles = [](int side) { return std::clamp(side / 16, 1, 8); };
  const auto equaliser =
      cv::createCLAHE(clip_limit, cv::Size(tiles(pixels.cols), tiles(pixels.rows)));
  cv::Mat result;
  if (pixels.channels() == 1) {
    equaliser->apply(pixels, result);
    return result;
  }
  cv::cvtColor(pixels, result, cv::COLOR_RGB2YCrCb);
  cv::Mat brightness;
  cv::extractChannel(result, brightness, 0);
  equaliser->apply(brightness, brightness);
  cv::insertChannel(brightness, result, 0);
  cv::cvtColor(result, result, cv::COLOR_YCrCb2RGB);
  return result;
}

}  // namespace secondlook::image
