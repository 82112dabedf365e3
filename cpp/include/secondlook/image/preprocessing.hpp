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

/// How each image's own range of values is evened out.
enum class ContrastNormalisation {
  none,
  stretch,  ///< the values between two percentiles of the image fill the whole range
  clahe     ///< contrast-limited adaptive histogram equalisation (Zuiderveld 1994)
};
template <>
inline constexpr std::array<std::string_view, 3> names_of<ContrastNormalisation>{"none", "stretch",
                                                                                 "clahe"};

/// How images become a network's input: resized, their contrast evened out, then scaled.
struct Preprocessing {
  std::size_t height = 224;  ///< rows of the input, 1 to 8192
  std::size_t width = 224;   ///< columns of the input, 1 to 8192
  std::size_t channels = 3;  ///< of the input: 1 is grey, 3 red, green, blue
  /// Subtracted from the channels after they are scaled to [0, 1].
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};
  /// What the channels are divided by then, above 0. With the mean above: [−1, 1].
  std::array<float, 3> standard_deviation{0.5F, 0.5F, 0.5F};
  ContrastNormalisation contrast = ContrastNormalisation::none;
  double clipped_fraction = 0.01;  ///< of the pixels, at either end of a stretch; in [0, 0.4]
  /// 16-bit values and floats that become black and white, such as the coldest and the hottest
  /// temperature that matter; those beyond are clipped. As long as it is this one, floats have to
  /// lie in [0, 1].
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

/// The image in the network's size: 16-bit values and floats within `range`, colours made grey
/// where the network sees one channel, resized (area average to shrink, bilinear to grow; the
/// aspect ratio is not kept), contrast evened out. It keeps its bits, floats become 16, and a grey
/// one stays grey. Thread-safe.
/// @throws InvalidArgument where floats are NaN or infinite, or not in [0, 1] with no `range` given
[[nodiscard]] SECONDLOOK_EXPORT Image prepare(const Image& image,
                                              const Preprocessing& preprocessing);

/// The size alone: what `prepare` makes of the result is what it makes of the image itself.
[[nodiscard]] SECONDLOOK_EXPORT Image resize(const Image& image, std::size_t height,
                                             std::size_t width);

/// Scales a prepared image into channels × rows × columns; a grey one fills all channels.
/// @param tensor channels · height · width values
/// @throws InvalidArgument where the image is of another size
SECONDLOOK_EXPORT void to_tensor(const Image& prepared, const Preprocessing& preprocessing,
                                 std::span<float> tensor);

/// `prepare` and `to_tensor` together.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<float> preprocess(const Image& image,
                                                              const Preprocessing& preprocessing);

}  // namespace secondlook
