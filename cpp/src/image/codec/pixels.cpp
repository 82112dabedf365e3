#include "image/codec/pixels.hpp"

#include "core/validation.hpp"

namespace secondlook::image {

namespace {

template <class Value>
Image copy_of(const cv::Mat& pixels) {
  Image image;
  image.height = static_cast<std::size_t>(pixels.rows);
  image.width = static_cast<std::size_t>(pixels.cols);
  image.channels = static_cast<std::size_t>(pixels.channels());
  const std::size_t row_values = image.width * image.channels;
  std::vector<Value> values;
  values.reserve(image.height * row_values);
  for (int row = 0; row < pixels.rows; ++row) {
    const auto* begin = pixels.ptr<Value>(row);
    values.insert(values.end(), begin, begin + row_values);
  }
  image.pixels = std::move(values);
  return image;
}

}  // namespace

cv::Mat as_mat(const Image& image) {
  const int channels = static_cast<int>(image.channels);
  return std::visit(
      [&](const auto& values) {
        using Value = std::decay_t<decltype(values[0])>;
        const int type = CV_MAKETYPE(cv::DataType<Value>::depth, channels);
        // OpenCV has no matrices of const data.
        return cv::Mat(static_cast<int>(image.height), static_cast<int>(image.width), type,
                       const_cast<Value*>(values.data()));
      },
      image.pixels);
}

Image to_image(const cv::Mat& pixels) {
  if (pixels.depth() == CV_8U) return copy_of<std::uint8_t>(pixels);
  if (pixels.depth() == CV_16U) return copy_of<std::uint16_t>(pixels);
  return copy_of<float>(pixels);
}

void require_image(std::string_view who, const Image& image) {
  require(image.height > 0 && image.width > 0,
          "{}: expected an image of at least 1 × 1, got {} × {}", who, image.height, image.width);
  require(image.channels == 1 || image.channels == 3,
          "{}: expected an image of 1 or 3 channels, got {}", who, image.channels);
  constexpr std::size_t largest_side = 1 << 24;
  require(image.height <= largest_side && image.width <= largest_side,
          "{}: expected an image of at most {} pixels per side, got {} × {}", who, largest_side,
          image.height, image.width);
  const std::size_t n_values =
      std::visit([](const auto& values) { return values.size(); }, image.pixels);
  require(n_values == image.height * image.width * image.channels,
          "{}: expected {} × {} × {} values, got {}", who, image.height, image.width,
          image.channels, n_values);
}

void require_picture(std::string_view who, const Image& image) {
  require_image(who, image);
  require(image.bits() <= 16, "{}: expected values of 8 or 16 bits, got floats", who);
}

}  // namespace secondlook::image
