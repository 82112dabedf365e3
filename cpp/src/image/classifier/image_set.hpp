#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "image/classifier/batch_pipeline.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// The image itself, or what its file holds.
[[nodiscard]] Image take(const ImageInput& input);

/// `take` and `prepare`; messages about pixels begin with `who` and name the image by its index.
[[nodiscard]] Image prepare_input(const char* who, const ImageInput& input, std::size_t index,
                                  const Preprocessing& preprocessing);

/// Images prepared for a network.
struct ImageSet {
  std::vector<Image> images;
  std::vector<std::size_t> places;  ///< of each among the inputs
  std::vector<BrokenImage> broken;  ///< those left out
};

/// Reads and prepares all on several threads.
/// @throws what reading the first broken image throws, its index before the message where it has no
///   name, unless `skip_broken`
[[nodiscard]] ImageSet load_images(const char* who, std::span<const ImageInput> inputs,
                                   const Preprocessing& preprocessing, bool skip_broken,
                                   std::size_t n_threads, const Progress& progress);

/// Fills a batch on several threads: `image(i)` is the i-th, prepared.
void fill(Batch& batch, std::size_t size, const Preprocessing& preprocessing, std::size_t n_threads,
          const std::function<Image(std::size_t)>& image);

/// Which images are trained on, and which judge.
struct Split {
  std::vector<std::size_t> training;
  std::vector<std::size_t> validation;
};

/// Draws groups until each class has its fraction among the images held out. No group is in both,
/// and no class loses its last group to the images held out.
/// @param groups one number an image; empty: each is a group
[[nodiscard]] SECONDLOOK_EXPORT Split split_by_group(std::span<const std::int64_t> labels,
                                                     std::span<const std::int64_t> groups,
                                                     double validation_fraction,
                                                     std::uint64_t seed);

/// A random choice of the training images, of each class as many where there are as many.
void keep_for_replay(std::span<const Image> images, std::span<const std::int64_t> labels,
                     std::span<const std::size_t> training, std::size_t n_kept, std::uint64_t seed,
                     std::vector<Image>& replay, std::vector<std::int64_t>& replay_labels);

/// Mean and standard deviation of the channels of images in [0, 1].
struct ChannelStatistics {
  std::array<float, 3> mean;
  std::array<float, 3> standard_deviation;
};
[[nodiscard]] ChannelStatistics channel_statistics(std::span<const Image> images,
                                                   std::span<const std::size_t> places);

}  // namespace secondlook::image
