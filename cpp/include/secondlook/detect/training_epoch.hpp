#pragma once

namespace secondlook {

/// What an epoch of a network's training came to: mean squared errors, in squared standard
/// deviations.
struct TrainingEpoch {
  double loss;             ///< over the training samples, with dropout
  double validation_loss;  ///< over the samples held back
  double learning_rate;

  bool operator==(const TrainingEpoch&) const = default;
};

}  // namespace secondlook
