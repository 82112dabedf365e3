#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "detect/neural/lstm_network.hpp"
#include "detect/neural/lstm_weights.hpp"
#include "detect/neural/training_state.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"

namespace secondlook {

struct LstmForecaster::State : detect::TrainingState {
  detect::LstmNetwork<float> network{{0, 0, 0, 0}};
  std::vector<double> covariance;  // of the residuals, channels × channels
  // Derived from the members above by `prepare`; shared with streams.
  std::shared_ptr<const detect::LstmWeights> weights;

  static detect::LstmShape shape(const LstmForecasterParameters& p, std::size_t n_channels) {
    return {n_channels, p.hidden, p.layers, n_channels};
  }

  void prepare(const LstmForecasterParameters& p) {
    weights = std::make_shared<const detect::LstmWeights>(network, scaler, covariance, p.window,
                                                          p.max_gap);
  }
};

}  // namespace secondlook
