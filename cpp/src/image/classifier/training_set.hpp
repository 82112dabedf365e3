#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "image/classifier/image_set.hpp"
#include "secondlook/image/group_split.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

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
  GroupSplit split;
  std::vector<double> class_weights;  ///< per class
  /// Per image, 1 on average over the images trained on; empty: all are 1.
  std::vector<double> sample_weights;
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
