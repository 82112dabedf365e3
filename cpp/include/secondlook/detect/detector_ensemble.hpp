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
  std::size_t votes = 2;            ///< that make an anomaly, at least 1
  double n_sigma = 2.5;             ///< standard deviations beyond which a feature votes, above 0
  double recent_level = 0.95;       ///< quantile of the first member's recent scores, in (0, 1)
  std::size_t recent_window = 500;  ///< samples of a stream that are recent, in [1, 65536]
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

/// A detector with a vote, and the name that it has in reasons.
struct EnsembleMember {
  std::string name;
  std::shared_ptr<const Detector> detector;  ///< of independent rows; only clones of it are trained
};

/// What the voters made of a sample.
struct EnsembleVerdict {
  double score = 0;         ///< as `DetectorEnsemble::score_samples`; NaN for a missing sample
  std::uint32_t votes = 0;  ///< bit i is set where voter i, see `DetectorEnsemble::voters`, votes
  Severity severity = Severity::normal;
  std::string reasons;  ///< in words, `; ` between them; empty while normal

  [[nodiscard]] std::size_t n_votes() const noexcept;
};

/// Detectors, statistics and domain rules that vote.
///
/// Voters are, in this order: each member, where its anomaly score lies beyond its limit, the
/// `limit_level` quantile of its training scores; the first member once more, where its score
/// lies beyond its recent level; the z-score, where a feature lies further than `n_sigma` standard
/// deviations from its training mean, and further than the furthest one does in a fraction
/// `limit_level` of the training rows, for of many features one is often far; and, if there are
/// any, the rules.
///
/// The first member so counts twice: beyond its own limit it is beyond its recent level as well,
/// and with two votes needed it decides alone. The others need company.
///
/// Every voter has a margin: 0 in the middle of what is normal, the median of the training scores,
/// and 1 at its limit; that of the rules is 1 and what a feature exceeds its limit by, in training
/// standard deviations. The score is minus the `votes`-th largest margin: below −1 as many voters
/// are beyond their limits, which is an anomaly. So the vote is a detector like its members, which
/// a learner can guard, and `grade` reads its severity from votes and margin.
///
/// Scored as rows, a sample's recent level is that of the training; an `EnsembleStream` knows the
/// device's own. NaN is refused. Scoring is safe from several threads at once, but not while the
/// ensemble learns.
class SECONDLOOK_EXPORT DetectorEnsemble final : public Detector {
 public:
  /// An autoencoder and an isolation forest with their defaults.
  DetectorEnsemble();
  /// @param members at least one, with names that differ
  /// @throws InvalidArgument when a parameter is out of range, or a member needs ordered rows or
  ///   is an ensemble itself
  explicit DetectorEnsemble(std::vector<EnsembleMember> members,
                            DetectorEnsembleParameters parameters = {});
  ~DetectorEnsemble() override;
  DetectorEnsemble(const DetectorEnsemble& other);
  DetectorEnsemble& operator=(const DetectorEnsemble& other);
  DetectorEnsemble(DetectorEnsemble&&) noexcept;
  DetectorEnsemble& operator=(DetectorEnsemble&&) noexcept;

  /// Trains every member anew on the rows of `x`, shape (n, n_features), and sets all limits.
  /// @throws InvalidArgument as the members do, and where rules or names do not fit the features;
  ///   after any exception the ensemble is as before
  void fit(SampleView x, const Progress& progress = {}) override;

  /// Lets every member learn on, and moves the features' means and deviations, for which the rows
  /// count as many as they are beside those trained on first. Makes the limits stale.
  void partial_fit(SampleView x, const Progress& progress = {}) override;

  /// Minus the `votes`-th largest margin, between −1e6 and 0.
  void score_samples(SampleView x, std::span<double> scores) const override;
  using Detector::score_samples;

  /// Each feature's fraction of minus the score: the mean of its fractions in the members that
  /// vote, or in all where none does. A row sums to minus its score.
  void feature_contributions(SampleView x, std::span<double> contributions) const override;

  /// Sets the limits from rows that are held to be normal, and ends their being stale.
  void fit_offset(SampleView x) override;

  void set_feature_names(std::vector<std::string> names) override;

  [[nodiscard]] std::unique_ptr<Detector> clone() const override;

  /// Rows that score below are anomalous: −1.
  [[nodiscard]] double offset() const override;
  [[nodiscard]] bool offset_is_stale() const noexcept override;
  [[nodiscard]] bool fitted() const noexcept override;
  [[nodiscard]] std::size_t n_features() const noexcept override;
  [[nodiscard]] const DetectorEnsembleParameters& parameters() const noexcept {
    return parameters_;
  }
  /// The members, trained where the ensemble is.
  [[nodiscard]] std::vector<EnsembleMember> members() const;
  /// Names of the voters.
  [[nodiscard]] std::vector<std::string> voters() const;

  [[nodiscard]] std::string_view kind() const noexcept override { return "detector_ensemble"; }
  /// @throws ModelFileError when the file does not hold an ensemble
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
