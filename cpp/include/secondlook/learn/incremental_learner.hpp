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
  double suspicion_rate = 0.01;  ///< fraction of normal rows that may be kept out, in (0, 0.5]
  double max_suspected_fraction = 0.5;  ///< of more than that nothing is learned, in (0, 1]
  double replay_ratio = 1.0;            ///< older rows trained on for each fresh one, at least 0
  double held_out_fraction = 0.3;  ///< of the rows, to judge on and never to train on, in (0, 1)
  std::size_t max_passes = 5;      ///< over an update's rows, until the candidate holds; at least 1
  double tolerance = 0.25;         ///< loss that is none, in standard deviations of first scores
  double significance = 1e-3;      ///< p-value of the two-sample test that is drift, in (0, 1)
  double adwin_delta = 0.002;      ///< of ADWIN, in (0, 1)
  std::size_t replay_size = 2000;  ///< older rows kept to train on, at least 1
  std::size_t held_out_size = 1000;  ///< older rows kept to judge on: `fewest_scores` of the rate
  std::size_t keep_versions = 10;    ///< in the folder, at least 1
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

/// What is in a model's file beside the model, such as the decision rule on its scores.
struct SECONDLOOK_EXPORT ModelExtras {
  std::map<std::string, std::string, std::less<>> sections;
  std::map<std::string, Tensor, std::less<>> tensors;  ///< named `decision.…`

  [[nodiscard]] static ModelExtras of(const ModelFile& file);
  /// Adds what the file does not have itself; to its `decision`, members.
  void add_to(ModelFile& file) const;
};

/// The model itself where it is a detector, or the detector that a `DetectorSource` makes.
/// @throws InvalidArgument when it is neither
[[nodiscard]] SECONDLOOK_EXPORT std::unique_ptr<Detector> as_detector(std::unique_ptr<Model> model);

/// A version in a learner's folder.
struct LearnedVersion {
  std::uint64_t number = 0;
  std::string reason;        ///< why it is there
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

/// A detector that learns on without getting worse.
///
/// An update keeps suspected anomalies out, trains a copy of the model on fresh rows and a uniform
/// sample of all older ones (experience replay; Rolnick et al. 2019), judges it on rows of both
/// kinds that no version was trained on, and takes it, trains it on for
/// up to `max_passes`, or leaves it. So:
///
/// - The suspicion limit is the `quantile_threshold` of the scores of rows held out. Of the rows
///   beyond it, as many as the rate foretells are held out and not trained on: were all left out,
///   each calibration would see a tail that ends earlier, and the limit would sink for good.
/// - The candidate is judged by mean scores, cut at the limit: what is an alarm already cannot get
///   worse, and no single row outweighs the others. Fresh rows are compared with the model in use;
///   older rows, in four groups by age, with the score that they had when they came, so that
///   neither many small losses add up nor a gain on recent rows hides a loss on old ones. A mean
///   may fall by `tolerance` standard deviations of the first calibration's scores; 0.25 moves a
///   1 % tail of a normal distribution to 1.9 %.
/// - Drift: the scores' places among the calibration scores go through `Adwin`, from one accepted
///   version to the next, and each update's scores through `kolmogorov_smirnov`. Both take rows to
///   be independent.
///
/// Rows are taken to be exchangeable but for drift; detectors of ordered series, whose score needs
/// the rows before, are out of scope.
///
/// `score_samples`, `decision_function`, `offset`, `version` and `model_file` may be called from
/// any thread at any time and never wait: they use the model that was current when they began.
/// Everything else takes turns. With a folder, a version is on the disk before it is used.
class SECONDLOOK_EXPORT IncrementalLearner {
 public:
  /// Starts from a fitted detector.
  ///
  /// @param detector of independent rows; for a folder it must be a `Model`, too
  /// @param calibration mostly normal rows, shape (n, n_features), best not trained on; they set
  ///   the limit and begin the replay
  /// @param folder where versions are kept; one that holds versions is continued
  /// @param feature_names none, or one a feature
  /// @param extras of the model's file: kept in the file of every version
  /// @throws InvalidArgument when a parameter is out of range, there are too few rows for the rate,
  ///   or the folder holds another kind of model or one of other features
  /// @throws NotFitted, FileError
  IncrementalLearner(std::unique_ptr<Detector> detector, MatrixView<double> calibration,
                     const IncrementalLearnerParameters& parameters = {},
                     const std::optional<std::filesystem::path>& folder = std::nullopt,
                     std::vector<std::string> feature_names = {}, ModelExtras extras = {});

  /// Goes on from the newest whole version in a folder.
  /// @throws ModelFileError when there is none, it is no learner's, or the folder mixes models
  /// @throws FileError
  [[nodiscard]] static IncrementalLearner open(const std::filesystem::path& folder);

  ~IncrementalLearner();
  IncrementalLearner(IncrementalLearner&&) noexcept;
  IncrementalLearner& operator=(IncrementalLearner&&) noexcept;

  /// Scores of the rows of `x`, higher is more normal.
  /// @throws InvalidArgument
  void score_samples(MatrixView<float> x, std::span<double> scores) const;
  void score_samples(MatrixView<double> x, std::span<double> scores) const;

  /// The same less the offset of the same version: negative is anomalous.
  void decision_function(MatrixView<float> x, std::span<double> values) const;
  void decision_function(MatrixView<double> x, std::span<double> values) const;

  /// Learns from the rows of `x`, shape (n, n_features), if that does no harm.
  ///
  /// @param x at least 10 rows
  /// @param trusted whether somebody has confirmed that all are normal: none is then suspected
  /// @throws InvalidArgument for rows that cannot be scored
  /// @throws FileError when the version cannot be written
  /// @throws Cancelled by `progress`; after any exception all is as before
  UpdateReport update(MatrixView<float> x, bool trusted = false, const Progress& progress = {});
  UpdateReport update(MatrixView<double> x, bool trusted = false, const Progress& progress = {});

  /// Goes back to a version in the folder, with all that was remembered then. It becomes a new
  /// version.
  /// @throws InvalidArgument when there is none of this number, or no folder
  /// @throws ModelFileError, FileError
  void rollback(std::uint64_t version, const std::string& reason = "");

  /// The versions in the folder that read whole, oldest first; without a folder the one in use.
  [[nodiscard]] std::vector<LearnedVersion> versions() const;

  /// Reports of the last 100 updates, oldest first.
  [[nodiscard]] std::vector<UpdateReport> history() const;

  /// Scores below it are anomalous: the suspicion limit.
  [[nodiscard]] double offset() const;
  /// Number of the version in use.
  [[nodiscard]] std::uint64_t version() const;
  [[nodiscard]] std::size_t n_features() const;
  [[nodiscard]] const IncrementalLearnerParameters& parameters() const noexcept;
  [[nodiscard]] const std::vector<std::string>& feature_names() const noexcept;

  /// The model in use, to keep or to load elsewhere.
  /// @throws InvalidArgument when the detector is no `Model`
  [[nodiscard]] ModelFile model_file() const;

 private:
  struct State;

  explicit IncrementalLearner(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace secondlook
