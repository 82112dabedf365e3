#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "image/network/trainer.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// Trains on images in random order, each one randomly augmented.
///
/// Keeps references to all that the constructor is given.
class TrainingPass {
 public:
  /// @param who beginning of messages
  /// @param sample_weights per image, 1 on average; empty: all are 1
  TrainingPass(const char* who, const ImageClassifierParameters& parameters,
               const Preprocessing& preprocessing, std::span<const Image> images,
               std::span<const std::int64_t> labels, std::span<const double> sample_weights,
               const ImageTrainingProgress& progress, std::size_t n_threads);

  /// One training step per batch of the images of `indices`.
  /// @param number of the pass, for its random streams
  /// @param status before the pass, which `progress` is given after each step
  /// @return training loss, learning rate, duration and waiting; the rest is 0
  /// @throws Cancelled when `progress` asks to stop; InvalidArgument when the loss diverges
  [[nodiscard]] ImageTrainingEpoch run(Trainer& trainer, std::vector<std::size_t> indices,
                                       std::uint64_t number, ImageTrainingStatus status) const;

 private:
  void fill_batch(Batch& batch, std::span<const std::size_t> indices, std::uint64_t number) const;

  const char* who_;
  const ImageClassifierParameters& parameters_;
  const Preprocessing& preprocessing_;
  std::span<const Image> images_;
  std::span<const std::int64_t> labels_;
  std::span<const double> sample_weights_;
  const ImageTrainingProgress& progress_;
  std::size_t n_threads_;
};

}  // namespace secondlook::image
