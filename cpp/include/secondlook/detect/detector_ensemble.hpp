#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "secondlook/core/fields.hpp"
#include "secondlook/decide/severity.hpp"
#include "secondlook/detect/detector.hpp"
#include "secondlook/detect/domain_rule.hpp"

namespace secondlook {

class EnsembleStream;

struct DetectorEnsembleParameters {
  std::size_t votes = 2;            ///< votes required for an anomaly, at least 1
  double n_sigma = 2.5;             ///< standard deviations beyond which a feature votes, above 0
  double recent_level = 0.95;       ///< quantile of the first member's recent scores, in (0, 1)
  std::size_t recent_window = 500;  ///< samples of a stream that count as recent, in [1, 65536]
  double limit_level = 0.99;        ///< quantile of a member's training scores, its limit; (0.5, 1)
  std::vector<DomainRule> rules = {};
  std::vector<std::string> feature_names = {};  ///< for the reasons; none, or one a feature

  bool operator==(const DetectorEnsembleParameters&) const = default;
};

template <FieldsOf<DetectorEnsembleParameters> T>
void for_each_field(T& p, auto&& use) {
  use("votes", p.votes);
  use("n_sigma", p.n_sigma);
  use("recent_level", p.recent_level);
  use("recent_window", p.recent_window);
  use("limit_level", p.limit_level);
  use("rules", p.rules);
  use("feature_names", p.feature_names);
}

/// A member: a detector and the name used for it in reasons.
struct EnsembleMember {
  std::string name;
  std::shared_ptr<const Detector>
      detector;  ///< a detector of independent rows; only clones of it are trained
};

/// Verdict of the voters on a sample.
struct EnsembleVerdict {
  double score = 0;         ///< as `DetectorEnsemble::score_samples`; NaN for a missing sample
  std::uint32_t votes = 0;  ///< bit i is set where voter i, see `DetectorEnsemble::voters`, votes
  Severity severity = Severity::normal;
  std::vector<std::string> reasons;  ///< in words, one per vote; none if normal

  [[nodiscard]] std::size_t n_votes() const noexcept;
};

template <FieldsOf<EnsembleVerdict> T>
void for_each_field(T& v, auto&& use) {
  use("score", v.score);
  use("votes", v.votes);
  use("severity", v.severity);
  use("reasons", v.reasons);
}
template <>
inline constexpr bool is_written_as_list<EnsembleVerdict> = true;

/// Ensemble of detectors, statistics and domain rules that vote.
///
/// The voters are, in this order: each member, voting if its anomaly score exceeds its limit, the
/// `limit_level` quantile of its training scores; the first member again, voting if its score
/// exceeds its recent level; the z-score, voting if a feature lies more than `n_sigma` standard
/// deviations from its training mean and further than the furthest feature does in a fraction
/// `limit_level` of the training rows (among many features, one is often far); and the rules, if
/// there are any.
///
/// The first member therefore counts twice: beyond its limit it is beyond its recent level as well,
/// so if two votes are required it decides alone. The others need a second vote.
///
/// Every voter has a margin: 0 at the median of the training scores and 1 at its limit. The margin
/// of the rules is 1 plus the excess over the limit in training standard deviations. The score is
/// minus the `votes`-th largest margin, so below −1 the required number of voters is beyond their
/// limits, which is an anomaly. This makes the ensemble a detector like its members, which a
/// learner can guard; `grade` reads the severity from votes and margin.
///
/// When rows are scored, the recent level is that of the training; an `EnsembleStream` uses the
/// device's own. NaN is refused. Scoring is safe from several threads at once, but not while the
/// ensemble is trained.
class SECONDLOOK_EXPORT DetectorEnsemble final : public Detector {
 public:
  /// An autoencoder and an isolation forest with default parameters.
  DetectorEnsemble();
  /// @param members at least one, with distinct names
  /// @throws InvalidArgument if a parameter is out of range, or a member needs ordered rows or is
  ///   itself an ensemble
  explicit DetectorEnsemble(std::vector<EnsembleMember> members,
                            DetectorEnsembleParameters parameters = {});
  ~DetectorEnsemble() override;
  DetectorEnsemble(const DetectorEnsemble& other);
  DetectorEnsemble& operator=(const DetectorEnsemble& other);
  DetectorEnsemble(DetectorEnsemble&&) noexcept;
  DetectorEnsemble& operator=(DetectorEnsemble&&) noexcept;

  /// Trains every member from scratch on the rows of `x`, shape (n, n_features), and sets all
  /// limits.
  /// @throws InvalidArgument see the members, and if rules or names do not fit the features; after
  ///   any exception the ensemble is unchanged
  void fit(SampleView x, const Progress& progress = {}) override;

  /// Continues training of every member and updates the means and deviations of the features,
  /// weighting the new rows by their number. Makes the limits stale.
  void partial_fit(SampleView x, const Progress& progress = {}) override;

  /// Minus the `votes`-th largest margin, between −1e6 and 0.
  void score_samples(SampleView x, std::span<double> scores) const override;
  using Detector::score_samples;

  /// Each feature's contribution to minus the score: the mean of its contributions in the members
  /// that vote, or in all members if none votes. A row sums to minus its score.
  void feature_contributions(SampleView x, std::span<double> contributions) const override;

  /// Sets the limits from rows that are assumed to be normal; they are then no longer stale.
  void fit_offset(SampleView x) override;

  void set_feature_names(std::vector<std::string> names) override;

  [[nodiscard]] std::unique_ptr<Detector> clone() const override;

  /// Rows with a lower score are anomalous: −1.
  [[nodiscard]] double offset() const override;
  [[nodiscard]] bool offset_is_stale() const noexcept override;
  [[nodiscard]] bool fitted() const noexcept override;
  [[nodiscard]] std::size_t n_features() const noexcept override;
  [[nodiscard]] const DetectorEnsembleParameters& parameters() const noexcept {
    return parameters_;
  }
  /// The members, trained if the ensemble is.
  [[nodiscard]] std::vector<EnsembleMember> members() const;
  /// Names of the voters.
  [[nodiscard]] std::vector<std::string> voters() const;

  [[nodiscard]] std::string_view kind() const noexcept override { return "detector_ensemble"; }
  /// @throws ModelFileError if the file does not hold an ensemble
  [[nodiscard]] static DetectorEnsemble from_file(const ModelFile& file);

 protected:
  /// Tensors: `scaler.mean` and `scaler.scale` (n_features), `limits` (members and z-score, 3:
  /// median, limit, recent level), and those of member i with `members.i.` before their names.
  /// @throws InvalidArgument when a member is no `Model`
  [[nodiscard]] ModelFile write() const override;

 private:
  friend class EnsembleStream;
  struct State;

  void require_fitted(const char* who) const;

  DetectorEnsembleParameters parameters_;
  std::vector<EnsembleMember> members_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
