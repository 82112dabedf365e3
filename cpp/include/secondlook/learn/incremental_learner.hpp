#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "secondlook/core/fields.hpp"
#include "secondlook/detect/detector.hpp"
#include "secondlook/learn/update_report.hpp"
#include "secondlook/store/model.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook {

struct IncrementalLearnerParameters {
  double suspicion_rate = 0.01;  ///< fraction of normal rows that may be excluded, in (0, 0.5]
  double max_suspected_fraction = 0.5;  ///< above it an update learns nothing, in (0, 1]
  double replay_ratio = 1.0;            ///< older rows trained on per fresh row, at least 0
  double held_out_fraction = 0.3;  ///< fraction of rows only used to judge candidates, in (0, 1)
  std::size_t max_passes =
      5;  ///< passes over the rows while the candidate is not good enough; at least 1
  /// Largest drop of a mean score that is accepted, in standard deviations of the initial
  /// calibration scores; at least 0.
  double tolerance = 0.25;
  double significance = 1e-3;  ///< p-value of the two-sample test that counts as drift, in (0, 1)
  double adwin_delta = 0.002;  ///< parameter of `Adwin`, in (0, 1)
  std::size_t replay_size = 2000;  ///< older rows kept for training, at least 1
  std::size_t held_out_size =
      1000;  ///< older rows kept for judging: at least `fewest_scores` of the rate
  std::size_t keep_versions = 10;  ///< versions kept in the folder, at least 1
  std::uint64_t seed = 0;

  bool operator==(const IncrementalLearnerParameters&) const = default;
};

template <FieldsOf<IncrementalLearnerParameters> T>
void for_each_field(T& p, auto&& use) {
  use("suspicion_rate", p.suspicion_rate);
  use("max_suspected_fraction", p.max_suspected_fraction);
  use("replay_ratio", p.replay_ratio);
  use("held_out_fraction", p.held_out_fraction);
  use("max_passes", p.max_passes);
  use("tolerance", p.tolerance);
  use("significance", p.significance);
  use("adwin_delta", p.adwin_delta);
  use("replay_size", p.replay_size);
  use("held_out_size", p.held_out_size);
  use("keep_versions", p.keep_versions);
  use("seed", p.seed);
}
template <>
inline constexpr std::array<EarlierName, 3> earlier_names_of<IncrementalLearnerParameters>{
    {{"max_suspected_share", "max_suspected_fraction"},
     {"held_back_share", "held_out_fraction"},
     {"held_back_size", "held_out_size"}}};

/// Sections and tensors of a model's file that belong to others, such as the classes of a
/// classifier.
struct SECONDLOOK_EXPORT ModelExtras {
  std::map<std::string, std::string, std::less<>> sections;
  std::map<std::string, Tensor, std::less<>> tensors;  ///< named `decision.…`

  [[nodiscard]] static ModelExtras of(const ModelFile& file);
  /// Adds what the file does not have itself, and members to its section `decision`.
  void add_to(ModelFile& file) const;
};

/// The model itself if it is a detector, or the detector that a `DetectorSource` makes.
/// @throws InvalidArgument if it is neither
[[nodiscard]] SECONDLOOK_EXPORT std::unique_ptr<Detector> as_detector(std::unique_ptr<Model> model);

/// A version in a learner's folder.
struct LearnedVersion {
  std::uint64_t number = 0;
  std::string reason;        ///< why it was made
  std::int64_t time_ns = 0;  ///< when it was made, since 1970
  bool in_use = false;
};

template <FieldsOf<LearnedVersion> T>
void for_each_field(T& l, auto&& use) {
  use("number", l.number);
  use("reason", l.reason);
  use("time_ns", l.time_ns);
  use("in_use", l.in_use);
}

/// Continues training a detector under guard, so that no update makes it worse.
///
/// An update excludes suspected anomalies and trains a copy of the model on fresh rows and a
/// uniform sample of all older ones (experience replay; Rolnick et al. 2019). It judges the copy on
/// rows of both kinds that no version was trained on, and accepts it, trains it further for up to
/// `max_passes`, or discards it:
///
/// - The suspicion limit is the `quantile_threshold` of the scores of held-out rows. Of the rows
///   beyond it, as many as the rate predicts are held out, but not trained on. If all were
///   excluded, every calibration would see a shorter tail, and the limit would keep tightening.
/// - The candidate is judged by mean scores, clipped at the limit: a row that is an alarm already
///   cannot get worse, and no single row outweighs the others. Fresh rows are compared with their
///   score under the model in use; older rows, in four groups by age, with their original score, so
///   that small losses cannot add up and a gain on recent rows cannot hide a loss on old ones. A
///   mean may fall by `tolerance` standard deviations of the first calibration's scores; 0.25 moves
///   a 1 % tail of a normal distribution to 1.9 %.
/// - Drift: the ranks of the scores among the calibration scores go through `Adwin`, from one
///   accepted version to the next, and each update's scores through `kolmogorov_smirnov`. Both
///   assume that rows are independent.
///
/// Rows are assumed to be exchangeable, apart from drift. Detectors of ordered series, whose score
/// depends on the preceding rows, are not supported.
///
/// `score_samples`, `decision_function`, `offset`, `version` and `model_file` may be called from
/// any thread at any time and never wait: they use the model that was current when they began. All
/// other calls take turns. With a folder, a version is written to disk before it is used.
class SECONDLOOK_EXPORT IncrementalLearner {
 public:
  /// Starts from a fitted detector.
  ///
  /// @param detector a detector of independent rows
  /// @param calibration mostly normal rows, shape (n, n_features), preferably not trained on; they
  ///   set the limit and fill the replay memory
  /// @param folder folder for the versions; if it holds versions, they are continued
  /// @param feature_names none, or one per feature
  /// @param extras written to the file of every version
  /// @throws InvalidArgument if a parameter is out of range, there are too few rows for the rate,
  ///   or the folder holds another kind of model or one of other features
  /// @throws NotFitted, FileError
  IncrementalLearner(std::unique_ptr<Detector> detector, SampleView calibration,
                     const IncrementalLearnerParameters& parameters = {},
                     const std::optional<std::filesystem::path>& folder = std::nullopt,
                     std::vector<std::string> feature_names = {}, ModelExtras extras = {});

  /// Resumes from the newest intact version in a folder.
  /// @throws ModelFileError if there is none, it was not written by a learner, or the folder mixes
  ///   versions of several models
  /// @throws FileError
  [[nodiscard]] static IncrementalLearner open(const std::filesystem::path& folder);

  ~IncrementalLearner();
  IncrementalLearner(IncrementalLearner&&) noexcept;
  IncrementalLearner& operator=(IncrementalLearner&&) noexcept;

  /// Scores of the rows of `x`, higher is more normal.
  /// @throws InvalidArgument
  void score_samples(SampleView x, std::span<double> scores) const;

  /// The score minus the offset of the same version: negative is anomalous.
  void decision_function(SampleView x, std::span<double> values) const;

  /// Learns from the rows of `x`, shape (n, n_features), unless the model gets worse.
  ///
  /// @param x at least 10 rows
  /// @param trusted whether all rows are known to be normal: none is then suspected
  /// @throws InvalidArgument for rows that cannot be scored
  /// @throws FileError if the version cannot be written
  /// @throws Cancelled by `progress`; after any exception the learner is unchanged
  UpdateReport update(SampleView x, bool trusted = false, const Progress& progress = {});

  /// Returns to a version in the folder, with its memory; it becomes a new version.
  /// @throws InvalidArgument if the number is unknown, or there is no folder
  /// @throws ModelFileError, FileError
  void rollback(std::uint64_t version, const std::string& reason = "");

  /// The intact versions in the folder, oldest first; without a folder, the one in use.
  [[nodiscard]] std::vector<LearnedVersion> versions() const;

  /// Reports of the last 100 updates, oldest first.
  [[nodiscard]] std::vector<UpdateReport> history() const;

  /// Suspicion limit: lower scores are anomalous.
  [[nodiscard]] double offset() const;
  /// Number of the version in use.
  [[nodiscard]] std::uint64_t version() const;
  [[nodiscard]] std::size_t n_features() const;
  [[nodiscard]] const IncrementalLearnerParameters& parameters() const noexcept;
  [[nodiscard]] const std::vector<std::string>& feature_names() const noexcept;

  /// The model in use, to save or to load elsewhere.
  [[nodiscard]] ModelFile model_file() const;

 private:
  struct State;

  explicit IncrementalLearner(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace secondlook
