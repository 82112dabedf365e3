#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "secondlook/learn/adwin.hpp"
#include "secondlook/learn/incremental_learner.hpp"
#include "secondlook/learn/replay_reservoir.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook::learn {

/// What a learner remembers beside its model; a version's file holds it all.
struct LearnerMemory {
  /// Of a row held out.
  struct Note {
    double loss;    ///< when it came
    double update;  ///< number of the update with which it came
  };

  IncrementalLearnerParameters parameters;
  std::vector<std::string> feature_names;
  ModelExtras extras;                 ///< of the model's file, kept as they are
  std::string lineage;                ///< names the model through all its versions
  ReplayReservoir replay;             ///< older rows to train on
  ReplayReservoir held_out;           ///< older rows to judge on
  std::vector<Note> notes;            ///< one per row held out
  std::vector<double> calibration;    ///< losses of the rows held out, ascending
  double scale = 0;                   ///< standard deviation of the first calibration's losses
  double limit = 0;                   ///< losses from here on are suspected
  Adwin adwin;                        ///< over places among the calibration
  std::uint64_t n_updates = 0;        ///< names the random stream of the next
  std::vector<UpdateReport> history;  ///< of the last updates
  LearnedVersion version;             ///< in use

  LearnerMemory(const IncrementalLearnerParameters& chosen, std::size_t n_features);

  /// Of the model.
  [[nodiscard]] std::size_t n_features() const { return replay.n_features(); }
};

/// Adds a memory to its model's file.
void add_memory(const LearnerMemory& memory, ModelFile& file);

/// @throws ModelFileError when the file holds none
[[nodiscard]] LearnerMemory read_memory(const ModelFile& file);

/// Why a file's model is not the version of another: empty if it is.
[[nodiscard]] std::string mismatch(const ModelFile& file, const ModelFile& expected);

/// The lineage of a folder's newest version, for another version of `model` to go on from.
/// @throws InvalidArgument when that is of another kind or of other features
[[nodiscard]] std::string lineage_to_continue(const ModelFile& before, std::size_t n_features,
                                              const ModelFile& model);

/// The section that names a model's features; none is null.
void set_feature_names(const std::vector<std::string>& names, ModelFile& file);

/// @throws InvalidArgument when a parameter is out of range
void require_parameters(const IncrementalLearnerParameters& parameters);

}  // namespace secondlook::learn
