#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "detect/neural/dense_network.hpp"
#include "detect/neural/training_state.hpp"
#include "secondlook/detect/autoencoder.hpp"

namespace secondlook {

struct Autoencoder::State : detect::TrainingState {
  detect::DenseNetwork<float> network{{0, 0}};
  // The members below are derived from those above and the parameters by `prepare`.
  std::shared_ptr<const detect::FoldedNetwork> folded;
  std::vector<float> error_weights;  // one per feature, with sum 1; padded with zeros

  // Layer widths of the network for `n_features` features.
  static std::vector<std::size_t> widths(std::size_t n_features,
                                         const std::vector<std::size_t>& hidden) {
    std::vector<std::size_t> all{n_features};
    all.insert(all.end(), hidden.begin(), hidden.end());
    all.insert(all.end(), hidden.rbegin() + 1, hidden.rend());
    all.push_back(n_features);
    return all;
  }

  [[nodiscard]] detect::Scaling scaling() const {
    return {scaler.n_features(), scaler.mean().data(), scaler.inverse_scale().data(),
            Scaler::kLimit};
  }

  void prepare(const std::vector<double>& feature_weights) {
    folded = std::make_shared<const detect::FoldedNetwork>(network);
    error_weights.assign(detect::padded(scaler.n_features()), 0.0F);
    if (feature_weights.empty())
      std::fill_n(error_weights.begin(), scaler.n_features(),
                  1.0F / static_cast<float>(scaler.n_features()));
    double total = 0;
    for (const double weight : feature_weights) total += weight;
    std::ranges::transform(feature_weights, error_weights.begin(),
                           [&](double weight) { return static_cast<float>(weight / total); });
  }
};

}  // namespace secondlook
