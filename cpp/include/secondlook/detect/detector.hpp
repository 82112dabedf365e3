#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/progress.hpp"
#include "secondlook/core/sample_view.hpp"
#include "secondlook/decide/decision_rule.hpp"
#include "secondlook/detect/sample_series.hpp"
#include "secondlook/store/model.hpp"

namespace secondlook {

/// A model that scores samples, one per row, and can continue training on new ones.
///
/// Scores follow scikit-learn's direction: higher is more normal. What is decided on them is a
/// second step: by the detector's own `offset`, or by a `DecisionRule`, which its file keeps.
/// Scoring is safe from several threads at once; training is not.
class SECONDLOOK_EXPORT Detector : public Model {
 public:
  ~Detector() override;

  /// Whether it can score.
  [[nodiscard]] virtual bool fitted() const noexcept = 0;
  /// Number of features of a sample; 0 before training.
  [[nodiscard]] virtual std::size_t n_features() const noexcept = 0;
  /// Whether rows are samples of a series in order of time, so that a score needs the rows before.
  [[nodiscard]] virtual bool ordered() const noexcept { return false; }

  /// Trains from scratch on the rows of `x`, shape (n, n_features).
  /// @throws InvalidArgument, and Cancelled by `progress`
  virtual void fit(SampleView x, const Progress& progress = {}) = 0;

  /// Continues training on the rows of `x`, shape (n, n_features). On an exception nothing has
  /// changed.
  virtual void partial_fit(SampleView x, const Progress& progress = {}) = 0;

  /// Scores each row of `x`, shape (n, n_features), into `scores`, of n values; NaN where there is
  /// no score.
  /// @throws NotFitted, InvalidArgument
  virtual void score_samples(SampleView x, std::span<double> scores) const = 0;
  [[nodiscard]] std::vector<double> score_samples(SampleView x) const;

  /// How much each feature contributes to a row's being abnormal, in the detector's own terms.
  /// @param contributions row-major, shape (n, n_features)
  virtual void feature_contributions(SampleView x, std::span<double> contributions) const = 0;

  /// A new series to be scored as its samples come; it must not outlive this detector, which must
  /// not be trained meanwhile.
  /// @throws NotFitted
  [[nodiscard]] virtual std::unique_ptr<SampleSeries> series() const;

  /// Score below which a sample is called anomalous.
  /// @throws NotFitted
  [[nodiscard]] virtual double offset() const = 0;
  /// Whether training has continued since the offset was computed.
  [[nodiscard]] virtual bool offset_is_stale() const noexcept = 0;
  /// Computes the offset from `x`, rows that are held to be normal.
  virtual void fit_offset(SampleView x) = 0;
  /// `fit_offset`, where the offset is one that training rows set.
  virtual void refresh_offset(SampleView x) { fit_offset(x); }

  /// Decides on each row of `x` by `decision_rule()`: `Decision::unknown` where there is no score.
  /// @param out_of_distribution as of `SuspiciousBand::decide`
  /// @throws InvalidArgument where there is no rule, or it needs features as well
  [[nodiscard]] std::vector<Decision> decide(
      SampleView x, std::span<const std::uint8_t> out_of_distribution = {}) const;

  /// The rule for this model's scores, which `to_file` keeps; none at first.
  [[nodiscard]] const std::optional<DecisionRule>& decision_rule() const noexcept { return rule_; }
  void set_decision_rule(std::optional<DecisionRule> rule) { rule_ = std::move(rule); }
  /// Whether training has continued since the rule was set, written or read: it may then not hold
  /// for the scores. Takes as long as `to_file`.
  [[nodiscard]] bool decision_rule_is_stale() const;

  /// Names of the features, which `to_file` keeps; none, or one per feature.
  [[nodiscard]] const std::vector<std::string>& feature_names() const noexcept { return names_; }
  /// @throws InvalidArgument for another number of names than features
  virtual void set_feature_names(std::vector<std::string> names);

  /// An independent copy; training it does not affect this detector.
  [[nodiscard]] virtual std::unique_ptr<Detector> clone() const = 0;

  [[nodiscard]] ModelFile to_file() const final;

 protected:
  Detector() = default;
  Detector(const Detector&) = default;
  Detector(Detector&&) = default;
  Detector& operator=(const Detector&) = default;
  Detector& operator=(Detector&&) = default;

  /// What `to_file` writes, but for names and rule.
  /// @throws NotFitted before training
  [[nodiscard]] virtual ModelFile write() const = 0;
  /// Takes names and rule from a file.
  void read_names_and_rule(const ModelFile& file);

 private:
  std::vector<std::string> names_;
  std::optional<DecisionRule> rule_;
};

/// A model whose inputs are not feature rows (labelled images, say) but which can expose itself as
/// a `Detector` over encoded rows.
class SECONDLOOK_EXPORT DetectorSource {
 public:
  virtual ~DetectorSource();

  /// An independent detector, which writes files of the model's kind.
  [[nodiscard]] virtual std::unique_ptr<Detector> as_detector() const = 0;

 protected:
  DetectorSource() = default;
  DetectorSource(const DetectorSource&) = default;
  DetectorSource(DetectorSource&&) = default;
  DetectorSource& operator=(const DetectorSource&) = default;
  DetectorSource& operator=(DetectorSource&&) = default;
};

}  // namespace secondlook
