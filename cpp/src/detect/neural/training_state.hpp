#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "detect/neural/adam.hpp"
#include "secondlook/detect/training_epoch.hpp"
#include "secondlook/series/scaler.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook::detect {

/// What training leaves behind beside the network itself.
struct TrainingState {
  Scaler scaler;
  Adam<float> adam;
  double learning_rate = 0;
  std::vector<TrainingEpoch> history;
  std::uint64_t n_passes = 0;  // over the samples, ever: names the next one's random streams
  double offset = 0;
  bool offset_is_stale = false;

  /// Adds it all to a model file.
  void write(ModelFile& file) const;
  /// Reads the scaler: its features say how large a network is to be read.
  void read_scaler(const ModelFile& file);
  /// Reads the rest, for a network of so many parameters.
  void read_training(const ModelFile& file, std::size_t n_parameters);
};

}  // namespace secondlook::detect
