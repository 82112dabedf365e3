#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "detect/neural/adam.hpp"
#include "secondlook/detect/training_epoch.hpp"
#include "secondlook/series/scaler.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook::detect {

/// State of training apart from the network.
struct TrainingState {
  Scaler scaler;
  Adam<float> adam;
  double learning_rate = 0;
  std::vector<TrainingEpoch> history;
  std::uint64_t n_passes = 0;  // passes over samples so far: selects the random streams of the next
  double offset = 0;
  bool offset_is_stale = false;

  /// Adds the state to a model file.
  void write(ModelFile& file) const;
  /// Reads the scaler, whose number of features determines the size of the network.
  void read_scaler(const ModelFile& file);
  /// Reads the rest, for a network with `n_parameters` parameters.
  void read_training(const ModelFile& file, std::size_t n_parameters);
};

}  // namespace secondlook::detect
