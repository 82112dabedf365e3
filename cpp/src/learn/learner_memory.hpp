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

/// State of a learner apart from its model; it is stored in the file of a version.
struct LearnerMemory {
  /// Information about a held-out row.
  struct Note {
    double loss;    ///< loss when the row was added
    double update;  ///< number of the update that added it
  };

  IncrementalLearnerParameters parameters;
  std::vector<std::string> feature_names;
  ModelExtras extras;                 ///< other sections of the model's file, kept unchanged
  std::string lineage;                ///< identifies the model in all its versions
  ReplayReservoir replay;             ///< older rows to train on
  ReplayReservoir held_out;           ///< older rows to judge on
  std::vector<Note> notes;            ///< one per held-out row
  std::vector<double> calibration;    ///< losses of the held-out rows, ascending
  double scale = 0;                   ///< standard deviation of the first calibration's losses
  double limit = 0;                   ///< rows with at least this loss are suspected
  Adwin adwin;                        ///< over ranks among the calibration losses
  std::uint64_t n_updates = 0;        ///< selects the random stream of the next update
  std::vector<UpdateReport> history;  ///< of the last updates
  LearnedVersion version;             ///< version in use

  LearnerMemory(const IncrementalLearnerParameters& chosen, std::size_t n_features);

  /// Number of features of the model.
  [[nodiscard]] std::size_t n_features() const { return replay.n_features(); }
};

/// Adds a memory to its model's file.
void add_memory(const LearnerMemory& memory, ModelFile& file);

/// @throws ModelFileError if the file has none
[[nodiscard]] LearnerMemory read_memory(const ModelFile& file);

/// Reason why two files are not versions of the same model; empty if they are.
[[nodiscard]] std::string mismatch(const ModelFile& file, const ModelFile& expected);

/// Lineage of the newest version of a folder, to continue it with a version of `model`.
/// @throws InvalidArgument if that version has another kind or other features
[[nodiscard]] std::string lineage_to_continue(const ModelFile& before, std::size_t n_features,
                                              const ModelFile& model);

/// Writes the section with the names of a model's features; no names are stored as null.
void set_feature_names(const std::vector<std::string>& names, ModelFile& file);

/// @throws InvalidArgument if a parameter is out of range
void require_parameters(const IncrementalLearnerParameters& parameters);

}  // namespace secondlook::learn
