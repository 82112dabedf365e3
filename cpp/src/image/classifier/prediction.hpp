#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <span>

#include "image/network/inference_network.hpp"
#include "secondlook/core/progress.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// Calls `use(first, batch)` for consecutive batches of n images, where `first` is the index of the
/// batch's first image. Batches are prepared on other threads while earlier ones are used.
/// @param image prepared image of an index
/// @throws Cancelled, its message beginning with `who`, when `progress` asks to stop
void for_each_batch(const char* who, std::size_t n, const std::function<Image(std::size_t)>& image,
                    const Preprocessing& preprocessing, at::Device device, std::size_t n_threads,
                    const Progress& progress,
                    const std::function<void(std::size_t, const at::Tensor&)>& use);

/// Quality of a network on some images.
struct Evaluation {
  double loss = 0;
  double accuracy = 0;
  double recall = 0;  ///< see `ImageTrainingEpoch::validation_recall`
};

/// Evaluates a network on the prepared images of `indices`.
/// @param weights of the classes in the loss
/// @param sample_weights of all images in the loss; empty: all are 1
[[nodiscard]] Evaluation evaluate(const InferenceNetwork& network,
                                  const Preprocessing& preprocessing, std::span<const Image> images,
                                  std::span<const std::int64_t> labels,
                                  std::span<const std::size_t> indices,
                                  std::span<const double> weights,
                                  std::span<const double> sample_weights, int positive_class,
                                  std::size_t n_threads);

}  // namespace secondlook::image
