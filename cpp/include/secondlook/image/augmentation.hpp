#pragma once

#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook {

/// Ranges of the random changes to training images, which keep a network from learning incidental
/// properties. All 0: no changes.
struct Augmentation {
  double horizontal_flip = 0;  ///< probability of a mirror image
  double vertical_flip = 0;    ///< probability of turning the image upside down
  double rotation = 0;         ///< largest angle in degrees, either way, up to 180
  double shear = 0;            ///< largest angle in degrees, either way, up to 59
  double zoom = 0;             ///< factor 1 ± zoom, in [0, 0.9]
  double aspect = 0;           ///< factor of width to height from e^−aspect to e^aspect, up to 1
  double shift = 0;            ///< largest fraction of the size, either way in both directions
  double brightness = 0;       ///< largest fraction of the whole range, added or subtracted
  double contrast = 0;         ///< factor 1 ± contrast about the image's mean, in [0, 1]
  double gamma = 0;            ///< exponent from e^−gamma to e^gamma, up to 3
  double blur = 0;             ///< largest standard deviation of a Gaussian in pixels, up to 50
  double noise = 0;  ///< largest standard deviation, as a fraction of the whole range, up to 1
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
/// The changes depend only on seed, epoch and index, so training gets the same images with any
/// number of threads. Flips, rotation, shear, zoom, aspect and shift are done in one
/// resampling, which repeats the edge outwards. Thread-safe.
[[nodiscard]] SECONDLOOK_EXPORT Image augment(const Image& image, const Augmentation& augmentation,
                                              std::uint64_t seed, std::uint64_t epoch,
                                              std::uint64_t index);

}  // namespace secondlook
