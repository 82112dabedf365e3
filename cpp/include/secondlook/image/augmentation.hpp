#pragma once

#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// How far training images may be changed at random, so that a network does not learn what is
/// chance. All 0: not at all.
struct Augmentation {
  double horizontal_flip = 0;  ///< probability of left and right changing sides
  double vertical_flip = 0;    ///< probability of standing on the head
  double rotation = 0;         ///< at most so many degrees either way, up to 180
  double shear = 0;            ///< at most so many degrees either way, below 60
  double zoom = 0;             ///< factor 1 ± zoom, in [0, 0.9]
  double aspect = 0;      ///< width to height changes from e^−aspect to e^aspect times, up to 1
  double shift = 0;       ///< at most this fraction of the size, either way in both directions
  double brightness = 0;  ///< at most this fraction of the whole range added or taken
  double contrast = 0;    ///< factor 1 ± contrast about the image's mean, in [0, 1]
  double gamma = 0;       ///< exponent from e^−gamma to e^gamma, up to 3
  double blur = 0;        ///< Gaussian of at most so many pixels' standard deviation, up to 50
  double noise =
      0;  ///< Gaussian of at most this fraction of the range as standard deviation, up to 1
  double clahe = 0;  ///< probability of adaptive histogram equalisation
  double erasing =
      0;  ///< probability that a rectangle of 2 to 20 % is made grey (Zhong et al. 2020)

  bool operator==(const Augmentation&) const = default;
};

template <FieldsOf<Augmentation> T>
void for_each_field(T& a, auto&& use) {
  use("horizontal_flip", a.horizontal_flip);
  use("vertical_flip", a.vertical_flip);
  use("rotation", a.rotation);
  use("shear", a.shear);
  use("zoom", a.zoom);
  use("aspect", a.aspect);
  use("shift", a.shift);
  use("brightness", a.brightness);
  use("contrast", a.contrast);
  use("gamma", a.gamma);
  use("blur", a.blur);
  use("noise", a.noise);
  use("clahe", a.clahe);
  use("erasing", a.erasing);
}

/// @throws InvalidArgument when a range is out of bounds; errors begin with `who`
SECONDLOOK_EXPORT void check(const char* who, const Augmentation& augmentation);

/// A random variation of the image, of the same size and bits.
///
/// What is random depends on seed, epoch and index alone, so training sees the same images whatever
/// number of threads makes them. Flips, rotation, shear, zoom, aspect and shift are one resampling,
/// with the edge repeated outwards. Thread-safe.
[[nodiscard]] SECONDLOOK_EXPORT Image augment(const Image& image, const Augmentation& augmentation,
                                              std::uint64_t seed, std::uint64_t epoch,
                                              std::uint64_t index);

}  // namespace secondlook
