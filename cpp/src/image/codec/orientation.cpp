#include "image/codec/orientation.hpp"

#include "image/codec/tiff_directory.hpp"

namespace secondlook::image {

int exif_orientation(std::span<const std::byte> exif) {
  constexpr std::uint16_t tag = 274;
  const auto directory = TiffDirectory::first(exif);
  const auto value = directory ? directory->value(tag) : std::nullopt;
  return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
}

cv::Mat upright(const cv::Mat& pixels, int orientation) {
  constexpr int upside_down = 0, mirrored = 1, turned = -1;  // codes of cv::flip
  if (orientation < 2 || orientation > 8) return pixels;
  cv::Mat result = pixels;
  if (orientation >= 5) cv::transpose(pixels, result);
  switch (orientation) {
    case 2:
    case 6:
      cv::flip(result, result, mirrored);
      break;
    case 3:
    case 7:
      cv::flip(result, result, turned);
      break;
    case 4:
    case 8:
      cv::flip(result, result, upside_down);
      break;
    default:  // 5 is only transposed
      break;
  }
  return result;
}

}  // namespace secondlook::image
