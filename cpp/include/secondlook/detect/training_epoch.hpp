#pragma once

#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Figures of an epoch of training: mean squared errors, in squared standard deviations.
struct TrainingEpoch {
  double loss;             ///< over the training samples, with dropout
  double validation_loss;  ///< over the samples held out
  double learning_rate;

  bool operator==(const TrainingEpoch&) const = default;
};

template <FieldsOf<TrainingEpoch> T>
void for_each_field(T& t, auto&& use) {
  use("loss", t.loss);
  use("validation_loss", t.validation_loss);
  use("learning_rate", t.learning_rate);
}

}  // namespace secondlook
