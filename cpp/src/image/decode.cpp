#include "secondlook/image/decode.hpp"

#include <fstream>
#include <iterator>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr std::size_t largest_side = 16384;

void check(const DecodeOptions& options) {
  require(options.height >= 1 && options.height <= largest_side && options.width >= 1 &&
              options.width <= largest_side,
          "decode_image: expected a size of 1 to {} pixels a side, got {} x {}", largest_side,
          options.height, options.width);
  for (const float deviation : options.standard_deviation)
    require(deviation > 0.0F, "decode_image: expected standard_deviation > 0, got {}", deviation);
}

/// Blue, green, red, 8 bits each.
cv::Mat decode(std::span<const std::byte> bytes, std::string_view name) {
  require(!bytes.empty() && bytes.size() <= std::numeric_limits<int>::max(),
          "decode_image: {}: expected an image, got {} bytes", name, bytes.size());
  // OpenCV reads only, though it asks for a pointer to what is not const.
  auto* data = const_cast<std::byte*>(bytes.data());
  const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, data);
  cv::Mat pixels;
  try {
    pixels = cv::imdecode(encoded, cv::IMREAD_COLOR);
  } catch (const cv::Exception& error) {
    require(false, "decode_image: {}: {}", name, error.err);
  }
  require(!pixels.empty(), "decode_image: {}: not a JPEG, PNG, TIFF or BMP image, or a broken one",
          name);
  return pixels;
}

cv::Mat resize(const cv::Mat& pixels, const DecodeOptions& options) {
  const cv::Size size(static_cast<int>(options.width), static_cast<int>(options.height));
  const bool shrinks = size.width < pixels.cols || size.height < pixels.rows;
  cv::Mat resized;
  cv::resize(pixels, resized, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return resized;
}

ImageTensor normalise(const cv::Mat& pixels, const DecodeOptions& options) {
  ImageTensor image{options.height, options.width, {}};
  const std::size_t plane = options.height * options.width;
  image.values.resize(ImageTensor::channels * plane);
  for (std::size_t channel = 0; channel < ImageTensor::channels; ++channel) {
    const float scale = 1.0F / (255.0F * options.standard_deviation[channel]);
    const float offset = -options.mean[channel] / options.standard_deviation[channel];
    const std::size_t source = ImageTensor::channels - 1 - channel;  // red is OpenCV's last
    float* out = image.values.data() + channel * plane;
    for (std::size_t row = 0; row < options.height; ++row) {
      const auto* in = pixels.ptr<unsigned char>(static_cast<int>(row)) + source;
      for (std::size_t column = 0; column < options.width; ++column)
        *out++ = static_cast<float>(in[column * ImageTensor::channels]) * scale + offset;
    }
  }
  return image;
}

std::vector<std::byte> read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  require<FileError>(stream.good(), "decode_image: cannot open {}", file.string());
  const std::streamoff size = stream.tellg();
  require<FileError>(size >= 0, "decode_image: cannot read {}", file.string());
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  stream.seekg(0);
  stream.read(reinterpret_cast<char*>(bytes.data()), size);
  require<FileError>(stream.good(), "decode_image: cannot read {}", file.string());
  return bytes;
}

}  // namespace

ImageTensor decode_image(std::span<const std::byte> bytes, const DecodeOptions& options,
                         std::string_view name) {
  check(options);
  return normalise(resize(decode(bytes, name), options), options);
}

ImageTensor decode_image(const std::filesystem::path& file, const DecodeOptions& options) {
  check(options);
  require<FileError>(!std::filesystem::is_directory(file),
                     "decode_image: expected a file, got the folder {}", file.string());
  return decode_image(read_file(file), options, file.string());
}

}  // namespace secondlook
