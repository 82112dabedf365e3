#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "detect/neural/lstm_weights.hpp"
#include "secondlook/detect/lstm_stream.hpp"

namespace secondlook {

struct LstmStream::State {
  explicit State(std::shared_ptr<const detect::LstmWeights> shared);

  // Resets the state, as before the first sample.
  void restart();
  // Computes the inputs from a scaled sample (NaN where missing), then runs one step of the
  // network.
  void advance(std::span<const float> sample);

  std::shared_ptr<const detect::LstmWeights> weights;
  std::vector<float> memory;    // hidden and cell values of each layer
  std::vector<float> forecast;  // of the next sample, scaled and padded
  std::vector<float> scaled;    // the current sample
  std::vector<float> inputs;    // the same, with missing values replaced
  std::vector<float> gates;
  detect::LstmResidual residual;
  std::vector<std::size_t> n_missing;  // consecutive missing values of each channel
  std::size_t n_seen = 0;
};

}  // namespace secondlook
