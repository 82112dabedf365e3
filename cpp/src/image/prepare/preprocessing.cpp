#include "secondlook/image/preprocessing.hpp"

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "core/validation.hpp"
#include "image/codec/pixels.hpp"
#include "image/prepare/contrast.hpp"
#include "image/prepare/value_range.hpp"

namespace secondlook {

namespace {

constexpr std::size_t kLargestSide = 8192;
constexpr double kClaheClipLimit = 2.0;  // times the mean count of a tile's histogram

// The library has its own threads; those of OpenCV would only compete with them.
const bool single_threaded = [] {
  cv::setNumThreads(0);
  return true;
}();

cv::Mat resized(const cv::Mat& pixels, std::size_t height, std::size_t width) {
  const cv::Size size(static_cast<int>(width), static_cast<int>(height));
  if (size == pixels.size()) return pixels;
  const bool shrinks = size.width < pixels.cols || size.height < pixels.rows;
  cv::Mat result;
  cv::resize(pixels, result, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

cv::Mat normalised(const cv::Mat& pixels, const Preprocessing& p) {
  switch (p.contrast) {
    case ContrastNormalisation::none:
      return pixels;
    case ContrastNormalisation::stretch:
      return image::stretch(pixels, p.clipped_fraction);
    case ContrastNormalisation::clahe:
      return image::clahe(pixels, kClaheClipLimit);
  }
  return pixels;
}

void check_size(const char* who, std::size_t height, std::size_t width) {
  require(height >= 1 && height <= kLargestSide && width >= 1 && width <= kLargestSide,
          "{}: expected a size of 1 to {} pixels per side, got {} × {}", who, kLargestSide, height,
          width);
}

}  // namespace

void check(const char* who, const Preprocessing& p) {
  check_size(who, p.height, p.width);
  require(p.channels == 1 || p.channels == 3, "{}: expected 1 or 3 channels, got {}", who,
          p.channels);
  for (std::size_t i = 0; i < 3; ++i)
    require(p.standard_deviation[i] > 0 && std::isfinite(p.standard_deviation[i]) &&
                std::isfinite(p.mean[i]),
            "{}: expected a finite mean and a standard_deviation > 0, got {} and {}", who,
            p.mean[i], p.standard_deviation[i]);
  require(p.clipped_fraction >= 0 && p.clipped_fraction <= 0.4,
          "{}: clipped_fraction must lie in [0, 0.4], got {}", who, p.clipped_fraction);
  require(std::isfinite(p.range[0]) && std::isfinite(p.range[1]) && p.range[0] < p.range[1],
          "{}: expected a range from low to high, got {} to {}", who, p.range[0], p.range[1]);
}

Image resize(const Image& image, std::size_t height, std::size_t width) {
  image::require_image("resize", image);
  check_size("resize", height, width);
  return image::to_image(resized(image::as_mat(image), height, width));
}

namespace {

Image prepared(const char* who, const Image& image, const Preprocessing& p) {
  image::require_image(who, image);
  check(who, p);
  image::require_values(who, image, p);
  // Resized first: the cost of the other steps is per pixel, and mostly there are fewer after it.
  cv::Mat pixels = image::within_range(resized(image::as_mat(image), p.height, p.width), p);
  if (p.channels == 1 && pixels.channels() == 3) {
    cv::Mat grey;
    cv::cvtColor(pixels, grey, cv::COLOR_RGB2GRAY);
    pixels = grey;
  }
  return image::to_image(normalised(pixels, p));
}

}  // namespace

Image prepare(const Image& image, const Preprocessing& p) { return prepared("prepare", image, p); }

void to_tensor(const Image& prepared, const Preprocessing& p, std::span<float> tensor) {
  image::require_picture("to_tensor", prepared);
  require(
      prepared.height == p.height && prepared.width == p.width && prepared.channels <= p.channels,
      "to_tensor: expected a prepared image of {} × {} × {}, got {} × {} × {}", p.height, p.width,
      p.channels, prepared.height, prepared.width, prepared.channels);
  const std::size_t plane = p.height * p.width;
  require(tensor.size() == p.channels * plane,
          "to_tensor: expected a buffer of {} elements, got {}", p.channels * plane, tensor.size());
  const float largest = prepared.bits() == 8 ? 255.0F : 65535.0F;
  std::visit(
      [&](const auto& values) {
        for (std::size_t channel = 0; channel < p.channels; ++channel) {
          const float scale = 1.0F / (largest * p.standard_deviation[channel]);
          const float offset = -p.mean[channel] / p.standard_deviation[channel];
          const auto* in = values.data() + (prepared.channels == 1 ? 0 : channel);
          float* out = tensor.data() + channel * plane;
          for (std::size_t i = 0; i < plane; ++i)
            out[i] = static_cast<float>(in[i * prepared.channels]) * scale + offset;
        }
      },
      prepared.pixels);
}

std::vector<float> preprocess(const Image& image, const Preprocessing& preprocessing) {
  const Image seen = prepared("preprocess", image, preprocessing);
  std::vector<float> tensor(preprocessing.channels * preprocessing.height * preprocessing.width);
  to_tensor(seen, preprocessing, tensor);
  return tensor;
}

}  // namespace secondlook
