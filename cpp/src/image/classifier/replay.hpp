#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/image/image.hpp"

namespace secondlook::image {

/// Prepared images kept so that later updates train on them again.
struct Replay {
  std::vector<Image> images;
  std::vector<std::int64_t> labels;  ///< per image
  std::uint64_t n_seen = 0;          ///< images ever offered
};

/// A random choice of the training images, equally many of each class as far as there are enough.
[[nodiscard]] SECONDLOOK_EXPORT Replay choose_for_replay(std::span<const Image> images,
                                                         std::span<const std::int64_t> labels,
                                                         std::span<const std::size_t> training,
                                                         std::size_t capacity, std::uint64_t seed);

/// Offers new images: each image ever offered is kept with the same probability (reservoir
/// sampling, Vitter 1985).
SECONDLOOK_EXPORT void offer_for_replay(Replay& replay, std::span<const Image> images,
                                        std::span<const std::int64_t> labels, std::size_t capacity,
                                        RandomStream random);

}  // namespace secondlook::image
