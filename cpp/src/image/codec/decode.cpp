#include "secondlook/image/decode.hpp"

#include <fstream>
#include <limits>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "core/validation.hpp"
#include "image/codec/image_header.hpp"
#include "image/codec/jpeg.hpp"
#include "image/codec/pixels.hpp"
#include "image/codec/tiff.hpp"

namespace secondlook {

namespace {

using image::ImageFormat;

// Errors are thrown; OpenCV would print them as well.
const auto silenced = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);

image::ImageHeader checked_header(std::string_view who, std::span<const std::byte> bytes,
                                  std::string_view name, std::size_t max_pixels,
                                  std::optional<std::size_t> page) {
  require(!bytes.empty(), "{}: {}: expected an image, got an empty file", who, name);
  require(bytes.size() <= std::numeric_limits<int>::max(),
          "{}: {}: expected at most {} bytes, got {}", who, name, std::numeric_limits<int>::max(),
          bytes.size());
  const auto header = image::read_image_header(bytes, page.value_or(0));
  require(header.has_value(),
          "{}: {}: expected a JPEG, PNG, TIFF or BMP image, got "
          "something else, or a broken one",
          who, name);
  require(header->width > 0 && header->height > 0,
          "{}: {}: expected an image of at least 1 × 1 pixel, got {} × {}", who, name,
          header->height, header->width);
  require(header->height <= max_pixels / header->width,
          "{}: {}: expected at most {} pixels (max_pixels), got {} × {}", who, name, max_pixels,
          header->height, header->width);
  // If a page is chosen, whatever comes after it does not matter.
  require(header->complete || (page && header->format == ImageFormat::tiff),
          "{}: {}: the file is truncated: its end is missing", who, name);
  if (header->format == ImageFormat::png) {
    require(header->n_pages == 1, "{}: {}: expected one image, got an animation of {}", who, name,
            header->n_pages);
  }
  require(page || header->n_pages == 1,
          "{}: {}: expected an image of one page, got {} pages; choose one, the first is page=0",
          who, name, header->n_pages);
  require(page.value_or(0) < header->n_pages, "{}: {}: expected a page from 0 to {}, got {}", who,
          name, header->n_pages - 1, page.value_or(0));
  return *header;
}

/// Decodes PNG and BMP to grey, or red, green, blue.
cv::Mat decode_by_opencv(std::span<const std::byte> bytes, const image::ImageHeader& header) {
  // OpenCV asks for a pointer to non-const data, but only reads it.
  auto* data = const_cast<std::byte*>(bytes.data());
  const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, data);
  cv::Mat pixels;
  try {
    // Unlike IMREAD_UNCHANGED this applies the orientation; depth and colour are kept.
    pixels = cv::imdecode(encoded, cv::IMREAD_ANYDEPTH | cv::IMREAD_ANYCOLOR);
  } catch (const cv::Exception& error) {
    require(false, "the image is damaged: {}", error.err);
  }
  require(!pixels.empty(), "the {} is damaged", header.format == ImageFormat::png ? "PNG" : "BMP");
  if (pixels.channels() == 1) return pixels;
  cv::Mat result;
  if (header.format == ImageFormat::png && header.is_grey) {
    // OpenCV returns grey with opacity as three equal colours.
    cv::extractChannel(pixels, result, 0);
  } else {
    cv::cvtColor(pixels, result, cv::COLOR_BGR2RGB);
  }
  return result;
}

cv::Mat decode(std::span<const std::byte> bytes, const image::ImageHeader& header) {
  switch (header.format) {
    case ImageFormat::jpeg:
      return image::decode_jpeg(bytes, header);
    case ImageFormat::tiff:
      return image::decode_tiff(bytes, header);
    case ImageFormat::png:
    case ImageFormat::bmp:
      return decode_by_opencv(bytes, header);
  }
  return {};
}

std::vector<std::byte> read_file(const std::filesystem::path& file) {
  // A folder can be opened, and then reports a length of 2⁶³ − 1 bytes.
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
               std::size_t max_pixels, std::optional<std::size_t> page) {
  const auto header = checked_header(who, bytes, name, max_pixels, page);
  try {
    return image::to_image(decode(bytes, header));
  } catch (const InvalidArgument& error) {
    require(false, "{}: {}: {}", who, name, error.what());
    throw;
  }
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes, std::string_view name, std::size_t max_pixels,
                   std::optional<std::size_t> page) {
  return to_image("decode_image", bytes, name, max_pixels, page);
}

Image read_image(const std::filesystem::path& file, std::size_t max_pixels,
                 std::optional<std::size_t> page) {
  return to_image("read_image", read_file(file), file.string(), max_pixels, page);
}

}  // namespace secondlook
