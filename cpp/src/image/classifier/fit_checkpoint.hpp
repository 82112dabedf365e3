#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/classifier/training_set.hpp"
#include "image/network/network.hpp"
#include "image/network/trainer.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// Progress of a training, except for what the trainer holds.
struct FitProgress {
  std::vector<ImageTrainingEpoch> history;
  std::size_t n_worse = 0;      ///< epochs since the best one
  double best_loss = 0;         ///< lowest validation loss so far
  std::optional<Network> best;  ///< its network; none before the first epoch
};

/// Hash of the data and the parameters of a training, by which its checkpoint is recognised.
/// @param hashes one per image
[[nodiscard]] std::string fingerprint(const ImageClassifierParameters& parameters,
                                      std::span<const std::uint64_t> hashes,
                                      const TrainingSet& data);

/// The file from which an interrupted training continues.
class FitCheckpoint {
 public:
  /// @param path if empty, nothing is written or read
  FitCheckpoint(std::filesystem::path path, std::string fingerprint)
      : path_(std::move(path)), fingerprint_(std::move(fingerprint)) {}

  /// Restores the trainer and the progress; without a file both stay at the beginning.
  /// @throws InvalidArgument when the file belongs to another training
  [[nodiscard]] FitProgress read(Trainer& trainer, const Network& network) const;

  void write(const Trainer& trainer, const FitProgress& progress) const;

  void remove() const;

 private:
  std::filesystem::path path_;
  std::string fingerprint_;
};

/// Writes the tensor `history`, one row per epoch.
void write_history(ModelFile& file, std::span<const ImageTrainingEpoch> history);
[[nodiscard]] std::vector<ImageTrainingEpoch> read_history(const ModelFile& file);

}  // namespace secondlook::image
