#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "image/classifier/fit_checkpoint.hpp"
#include "image/classifier/replay.hpp"
#include "image/classifier/training_set.hpp"
#include "image/network/inference_network.hpp"
#include "image/network/network.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook {

/// Result of training.
struct ImageClassifier::State {
  std::size_t n_classes = 0;
  Preprocessing preprocessing;
  std::shared_ptr<const image::Network> network;
  std::shared_ptr<const image::InferenceNetwork> inference;  ///< with the same weights
  std::vector<ImageTrainingEpoch> history;
  image::Replay replay;
  std::uint64_t n_updates = 0;

  /// Replaces everything by the result of a training run.
  void take(const image::FitProgress& result, const image::TrainingSet& data,
            const ImageClassifierParameters& parameters);

  /// Uses these weights from now on.
  void use(image::Network trained, const ImageClassifierParameters& parameters);

  /// Trains for one pass over prepared images, starting from the current weights. On an exception
  /// nothing has changed.
  void continue_training(const char* who, std::span<const Image> images,
                         std::span<const std::int64_t> labels,
                         const ImageClassifierParameters& parameters,
                         const ImageTrainingProgress& progress);

  /// Seed of the next `continue_training`.
  [[nodiscard]] std::uint64_t update_seed(const ImageClassifierParameters& parameters) const;

  /// Where `predict` writes, row-major; an empty output is not computed.
  struct Outputs {
    std::span<double> probabilities = {};  ///< shape (n, n_classes)
    std::span<double> features = {};       ///< shape (n, n_features)
  };

  /// @param image prepared image of an index below n
  void predict(const char* who, std::size_t n, const std::function<Image(std::size_t)>& image,
               const Outputs& outputs, const TestTimeAugmentation& test_time_augmentation,
               const ImageClassifierParameters& parameters, const Progress& progress) const;
};

}  // namespace secondlook
