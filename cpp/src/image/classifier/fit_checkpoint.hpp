#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/network/network.hpp"
#include "image/network/trainer.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// How far a training has come, beside what the trainer holds.
struct FitProgress {
  std::vector<ImageTrainingEpoch> history;
  std::size_t n_worse = 0;  ///< epochs since the best
  double best_loss = 0;
  std::optional<Network> best;
};

/// Stands for the data and the parameters of a training: another number, another training.
[[nodiscard]] std::string fingerprint(const ImageClassifierParameters& parameters,
                                      std::span<const std::uint64_t> hashes,
                                      std::span<const std::int64_t> labels,
                                      std::span<const std::int64_t> groups);

/// The file from which a training goes on after it was killed.
class FitCheckpoint {
 public:
  /// @param path empty: nothing is written or read
  FitCheckpoint(std::filesystem::path path, std::string fingerprint)
      : path_(std::move(path)), fingerprint_(std::move(fingerprint)) {}

  /// Sets the trainer to where the file says; nothing where there is none.
  /// @throws InvalidArgument where it is of another training
  [[nodiscard]] FitProgress read(Trainer& trainer, const Network& network) const;

  void write(const Trainer& trainer, const FitProgress& progress) const;

  void remove() const;

 private:
  std::filesystem::path path_;
  std::string fingerprint_;
};

/// One row an epoch.
void write_history(ModelFile& file, std::span<const ImageTrainingEpoch> history);
[[nodiscard]] std::vector<ImageTrainingEpoch> read_history(const ModelFile& file);

}  // namespace secondlook::image
