#pragma once

#include <cstddef>

#include "image/classifier/fit_checkpoint.hpp"
#include "image/classifier/training_pass.hpp"
#include "image/classifier/training_set.hpp"
#include "image/network/network.hpp"
#include "image/network/trainer.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// Trains a network on a training set, epoch after epoch, until `max_epochs` or until the
/// validation loss has not improved for `patience` epochs.
///
/// Continues from the checkpoint if there is one. Keeps references to all that the constructor is
/// given.
class TrainingRun {
 public:
  TrainingRun(const ImageClassifierParameters& parameters, const TrainingSet& data,
              const ImageFitOptions& options, std::size_t n_threads);

  /// @throws Cancelled when the progress callback asks to stop; the result is then that of the
  ///   epochs completed
  void train();

  /// History, and the network with the lowest validation loss: none before the first epoch.
  [[nodiscard]] const FitProgress& result() const { return result_; }

  /// Removes the checkpoint, once the result has been kept.
  void remove_checkpoint() const { checkpoint_.remove(); }

 private:
  [[nodiscard]] bool finished() const;
  void train_epoch();
  void keep_if_best();
  [[nodiscard]] ImageTrainingStatus status() const;

  const ImageClassifierParameters& parameters_;
  const TrainingSet& data_;
  const ImageFitOptions& options_;
  std::size_t n_threads_;
  std::size_t n_steps_per_epoch_;
  bool bfloat16_;
  Network network_;
  Trainer trainer_;
  TrainingPass pass_;
  FitCheckpoint checkpoint_;
  FitProgress result_;
};

}  // namespace secondlook::image
