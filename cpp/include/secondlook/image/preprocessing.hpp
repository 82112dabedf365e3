#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// How the contrast of each image is normalised.
enum class ContrastNormalisation {
  none,
  stretch,  ///< the values between two percentiles of the image fill the whole range
  clahe     ///< contrast-limited adaptive histogram equalisation (Zuiderveld 1994)
};
template <>
inline constexpr std::array<std::string_view, 3> names_of<ContrastNormalisation>{"none", "stretch",
                                                                                 "clahe"};

/// How images become input of a network: resized, contrast normalised, then scaled.
struct Preprocessing {
  std::size_t height = 224;  ///< rows of the input, 1 to 8192
  std::size_t width = 224;   ///< columns of the input, 1 to 8192
  std::size_t channels = 3;  ///< of the input: 1 is grey, 3 red, green, blue
  /// Subtracted from the channels after they are scaled to [0, 1].
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};
  /// Divisor of the channels after that, above 0. The defaults give values in [−1, 1].
  std::array<float, 3> standard_deviation{0.5F, 0.5F, 0.5F};
  ContrastNormalisation contrast = ContrastNormalisation::none;
  double clipped_fraction =
      0.01;  ///< fraction of the pixels that a stretch clips at either end, in [0, 0.4]
  /// 16-bit values and floats that become black and white, such as the coldest and the hottest
  /// temperature of interest; values outside are clipped. With the default, floats must lie in
  /// [0, 1].
  std::array<double, 2> range{0.0, 65535.0};

  bool operator==(const Preprocessing&) const = default;
};

template <FieldsOf<Preprocessing> T>
void for_each_field(T& p, auto&& use) {
  use("height", p.height);
  use("width", p.width);
  use("channels", p.channels);
  use("mean", p.mean);
  use("standard_deviation", p.standard_deviation);
  use("contrast", p.contrast);
  use("clipped_fraction", p.clipped_fraction);
  use("range", p.range);
}
template <>
inline constexpr std::array<EarlierName, 1> earlier_names_of<Preprocessing>{
    {{"clipped_share", "clipped_fraction"}}};

/// @throws InvalidArgument when a value is out of range; errors begin with `who`
SECONDLOOK_EXPORT void check(const char* who, const Preprocessing& preprocessing);

/// Prepares an image for a network: resizes it (area average to shrink, bilinear to enlarge; the
/// aspect ratio is not kept), maps 16-bit values and floats by `range`, converts colour to grey for
/// a network with one channel, and normalises the contrast. Thread-safe.
///
/// The result has as many bits as the image, 16 for floats; a grey image stays grey.
/// @throws InvalidArgument when floats are NaN or infinite, or not in [0, 1] with the default
///   `range`
[[nodiscard]] SECONDLOOK_EXPORT Image prepare(const Image& image,
                                              const Preprocessing& preprocessing);

/// Only resizes: `prepare` gives the same for the result as for the image itself.
[[nodiscard]] SECONDLOOK_EXPORT Image resize(const Image& image, std::size_t height,
                                             std::size_t width);

/// Scales a prepared image into channels × rows × columns; a grey image fills all channels.
/// @param tensor buffer of channels · height · width elements
/// @throws InvalidArgument when the image or the buffer has another size
SECONDLOOK_EXPORT void to_tensor(const Image& prepared, const Preprocessing& preprocessing,
                                 std::span<float> tensor);

/// `prepare` and `to_tensor` together.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<float> preprocess(const Image& image,
                                                              const Preprocessing& preprocessing);

}  // namespace secondlook
