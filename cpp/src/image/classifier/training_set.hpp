#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "image/classifier/image_set.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// Indices of the images trained on and of those held out for validation, both sorted.
struct Split {
  std::vector<std::size_t> training;
  std::vector<std::size_t> validation;
};

/// Draws whole groups until each class has its fraction among the images held out. No group is on
/// both sides, and no class loses its last group to the images held out.
/// @param groups one number per image; empty: every image is its own group
[[nodiscard]] SECONDLOOK_EXPORT Split split_by_group(std::span<const std::int64_t> labels,
                                                     std::span<const std::int64_t> groups,
                                                     double validation_fraction,
                                                     std::uint64_t seed);

/// Weights of the classes in the loss, as the parameters ask for them.
/// @param labels of the images trained on
/// @throws InvalidArgument when the parameters give weights for another number of classes
[[nodiscard]] SECONDLOOK_EXPORT std::vector<double> class_weights(
    const ImageClassifierParameters& parameters, std::span<const std::int64_t> labels,
    std::size_t n_classes);

/// Mean and standard deviation per channel, of values scaled to [0, 1].
struct ChannelStatistics {
  std::array<float, 3> mean;
  std::array<float, 3> standard_deviation;
};

/// A grey image counts for all three channels. The standard deviation is at least 0.001.
[[nodiscard]] SECONDLOOK_EXPORT ChannelStatistics
channel_statistics(std::span<const Image> images, std::span<const std::size_t> indices);

/// What `fit` trains on and validates with: prepared images, labels, split, scale and weights.
struct TrainingSet {
  std::vector<Image> images;
  std::vector<std::int64_t> labels;  ///< per image
  std::vector<std::int64_t> groups;  ///< per image; empty: every image is its own group
  std::size_t n_classes = 0;
  Preprocessing preprocessing;
  Split split;
  std::vector<double> class_weights;  ///< per class
  ImageFitReport report;

  /// Indices of the images validated with: those held out or, if there are none, those trained on.
  [[nodiscard]] std::span<const std::size_t> validation() const {
    return split.validation.empty() ? split.training : split.validation;
  }
};

/// Reads, checks and splits what `fit` was given.
/// @throws InvalidArgument, FileError as `ImageClassifier::fit`
[[nodiscard]] SECONDLOOK_EXPORT TrainingSet make_training_set(
    const ImageClassifierParameters& parameters, std::span<const ImageInput> images,
    std::span<const std::int64_t> labels, const ImageFitOptions& options, std::size_t n_threads);

}  // namespace secondlook::image
