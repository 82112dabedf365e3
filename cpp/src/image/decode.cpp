#include "secondlook/image/decode.hpp"

#include <fstream>
#include <limits>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "core/validation.hpp"
#include "image/image_header.hpp"
#include "image/pixels.hpp"

namespace secondlook {

namespace {

// What is wrong with an image becomes an error; OpenCV would print it as well.
const auto silenced = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);

void check_header(std::string_view who, std::span<const std::byte> bytes, std::string_view name,
                  std::size_t max_pixels) {
  require(!bytes.empty(), "{}: {}: expected an image, got an empty file", who, name);
  require(bytes.size() <= std::numeric_limits<int>::max(),
          "{}: {}: expected at most {} bytes, got {}", who, name, std::numeric_limits<int>::max(),
          bytes.size());
  const auto header = image::read_image_header(bytes);
  require(header.has_value(),
          "{}: {}: expected a JPEG, PNG, TIFF or BMP image, got "
          "something else, or a broken one",
          who, name);
  require(header->width > 0 && header->height > 0,
          "{}: {}: expected an image of 1 × 1 pixel at least, got {} × {}", who, name,
          header->height, header->width);
  require(header->height <= max_pixels / header->width,
          "{}: {}: expected at most {} pixels (max_pixels), got {} × {}", who, name, max_pixels,
          header->height, header->width);
  require(header->complete, "{}: {}: the file is cut off: its end is missing", who, name);
}

/// Grey, or blue, green, red.
cv::Mat decode(std::string_view who, std::span<const std::byte> bytes, std::string_view name) {
  // OpenCV reads only, though it asks for a pointer to what is not const.
  auto* data = const_cast<std::byte*>(bytes.data());
  const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, data);
  cv::Mat pixels;
  try {
    // Depth and colour as they are, but the orientation applied, which IMREAD_UNCHANGED does not.
    pixels = cv::imdecode(encoded, cv::IMREAD_ANYDEPTH | cv::IMREAD_ANYCOLOR);
  } catch (const cv::Exception& error) {
    require(false, "{}: {}: {}", who, name, error.err);
  }
  require(!pixels.empty(), "{}: {}: the image is broken", who, name);
  require(pixels.depth() == CV_8U || pixels.depth() == CV_16U,
          "{}: {}: expected whole numbers of 8 or 16 bits, got {}", who, name,
          cv::depthToString(pixels.depth()));
  return pixels;
}

std::vector<std::byte> read_file(const std::filesystem::path& file) {
  // A folder can be opened, and then says that it is 2⁶³ − 1 bytes long.
  std::error_code ignored;
  require<FileError>(!std::filesystem::is_directory(file, ignored),
                     "read_image: expected a file, got the folder {}", file.string());
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  require<FileError>(stream.good(), "read_image: cannot open {}", file.string());
  const std::streamoff size = stream.tellg();
  require<FileError>(size >= 0, "read_image: cannot read {}", file.string());
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  stream.seekg(0);
  stream.read(reinterpret_cast<char*>(bytes.data()), size);
  require<FileError>(stream.good(), "read_image: cannot read {}", file.string());
  return bytes;
}

Image to_image(std::string_view who, std::span<const std::byte> bytes, std::string_view name,
               std::size_t max_pixels) {
  check_header(who, bytes, name, max_pixels);
  cv::Mat pixels = decode(who, bytes, name);
  if (pixels.channels() == 3) cv::cvtColor(pixels, pixels, cv::COLOR_BGR2RGB);
  return image::to_image(pixels);
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes, std::string_view name,
                   std::size_t max_pixels) {
  return to_image("decode_image", bytes, name, max_pixels);
}

Image read_image(const std::filesystem::path& file, std::size_t max_pixels) {
  return to_image("read_image", read_file(file), file.string(), max_pixels);
}

}  // namespace secondlook
