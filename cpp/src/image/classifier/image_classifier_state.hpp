#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "image/classifier/image_set.hpp"
#include "image/network/inference_network.hpp"
#include "image/network/network.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook {

/// What training leaves behind.
struct ImageClassifier::State {
  std::size_t n_classes = 0;
  Preprocessing preprocessing;
  std::shared_ptr<const image::Network> network;
  std::shared_ptr<const image::InferenceNetwork> inference;  // of the same weights
  std::vector<ImageTrainingEpoch> history;
  // Training images kept to be learned from again, and how many were ever offered.
  std::vector<Image> replay;
  std::vector<std::int64_t> replay_labels;
  std::uint64_t n_seen = 0;
  std::uint64_t n_updates = 0;

  /// One pass over prepared images with the weights as they are, and takes the new ones.
  void learn_on(const char* who, std::span<const Image> images,
                std::span<const std::int64_t> labels, const ImageClassifierParameters& parameters,
                const ImageTrainingProgress& progress);

  /// Of the next `learn_on`.
  [[nodiscard]] std::uint64_t update_seed(const ImageClassifierParameters& parameters) const;

  /// Where `predict` writes, row-major; nowhere if empty.
  struct Outputs {
    std::span<double> probabilities = {};  ///< shape (n, n_classes)
    std::span<double> features = {};       ///< shape (n, n_features)
  };

  /// @param image of a place, prepared, for n places
  void predict(const char* who, std::size_t n, const std::function<Image(std::size_t)>& image,
               const Outputs& outputs, const TestTimeAugmentation& test_time_augmentation,
               const ImageClassifierParameters& parameters, const Progress& progress) const;

  /// Takes trained weights.
  void use(image::Network trained, const ImageClassifierParameters& parameters);

  /// The plan that the network has for images as they are prepared.
  [[nodiscard]] image::NetworkPlan plan(Architecture architecture, image::Padding padding) const {
    image::NetworkPlan plan = image::plan_network(
        architecture, preprocessing.channels, preprocessing.height, preprocessing.width, n_classes);
    plan.padding = padding;
    return plan;
  }
};

}  // namespace secondlook
