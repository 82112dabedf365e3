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

  // Forgets the series.
  void restart();
  // What the next scaled inputs are, given a scaled sample (NaN where missing), and the step.
  void advance(std::span<const float> sample);

  std::shared_ptr<const detect::LstmWeights> weights;
  std::vector<float> memory;    // hidden and cell values of each layer
  std::vector<float> forecast;  // scaled and padded: of the next sample
  std::vector<float> scaled;    // the sample
  std::vector<float> inputs;    // the same, where missing with a stand-in
  std::vector<float> gates;
  detect::LstmResidual residual;
  std::vector<std::size_t> n_missing;  // in a row, of each channel
  std::size_t n_seen = 0;
};

}  // namespace secondlook
