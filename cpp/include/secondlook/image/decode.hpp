#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// A decoded image, ready for a network: channels (red, green, blue) × rows × columns.
struct ImageTensor {
  static constexpr std::size_t channels = 3;
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<float> values;  ///< channels · height · width of them, C order
};

/// How pixels become a network's input.
struct DecodeOptions {
  std::size_t height = 224;
  std::size_t width = 224;
  /// Subtracted from the channels after they are scaled to [0, 1]; defaults are ImageNet's.
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};
  /// What the channels are divided by then.
  std::array<float, 3> standard_deviation{0.229F, 0.224F, 0.225F};
};

/// Decodes JPEG, PNG, TIFF or BMP, resizes it (area average to shrink, bilinear to grow; the aspect
/// ratio is not kept) and normalises it. Grey images get three equal channels before normalisation;
/// 16-bit ones are reduced to 8 bits. Thread-safe.
///
/// @param bytes  the encoded image
/// @param name   what errors call the image
/// @throws InvalidArgument where the bytes are no image that we read, or options are out of range
[[nodiscard]] SECONDLOOK_EXPORT ImageTensor decode_image(std::span<const std::byte> bytes,
                                                         const DecodeOptions& options = {},
                                                         std::string_view name = "<bytes>");

/// As above, from a file.
///
/// @throws FileError where it cannot be read; InvalidArgument as above. Both name the file.
[[nodiscard]] SECONDLOOK_EXPORT ImageTensor decode_image(const std::filesystem::path& file,
                                                         const DecodeOptions& options = {});

}  // namespace secondlook
