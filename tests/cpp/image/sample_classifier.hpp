#pragma once

#include <vector>

#include "image/sample_images.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook {

struct Data {
  std::vector<ImageInput> images;
  std::vector<std::int64_t> labels;
};

/// Images of noise; every second one has a bright square and label 1.
inline Data squares(std::size_t n, std::uint64_t seed = 0) {
  Data data;
  for (std::size_t i = 0; i < n; ++i) {
    RandomStream random(seed, i);
    const std::size_t top = random.below(10), left = random.below(10);
    data.images.emplace_back(make_image(16, 16, 1, [&](auto row, auto column, auto) {
      const bool inside = row - top < 6 && column - left < 6;
      return random.below(100) + (inside && i % 2 == 1 ? 120 : 0);
    }));
    data.labels.push_back(static_cast<std::int64_t>(i % 2));
  }
  return data;
}

inline ImageClassifierParameters small() {
  ImageClassifierParameters parameters;
  parameters.architecture = Architecture::small_cnn;
  parameters.height = parameters.width = 16;
  parameters.max_epochs = 3;
  parameters.batch_size = 16;
  parameters.seed = 1;
  parameters.n_jobs = 2;
  return parameters;
}

/// As `small`, but a network that trains in milliseconds.
inline ImageClassifierParameters tiny() {
  ImageClassifierParameters parameters = small();
  parameters.architecture = Architecture::mlp;
  return parameters;
}

inline std::vector<double> predict(const ImageClassifier& classifier, const Data& data) {
  std::vector<double> probabilities(data.images.size() * classifier.n_classes());
  classifier.predict_proba(data.images, probabilities);
  return probabilities;
}

}  // namespace secondlook
