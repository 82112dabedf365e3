#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/decide/calibration.hpp"
#include "secondlook/decide/feature_distance.hpp"
#include "secondlook/decide/mixture_drift.hpp"
#include "secondlook/decide/suspicious_band.hpp"
#include "secondlook/decide/tune_threshold.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook {

/// Parts of a rule that are fitted; at least one of calibration, threshold and band.
struct DecisionRuleParameters {
  std::optional<CalibrationMethod> calibration = std::nullopt;
  std::optional<TuneThresholdParameters> threshold = std::nullopt;
  std::optional<SuspiciousBandParameters> band = std::nullopt;
  /// Refers samples that are out of distribution; already fitted on the model's features of its
  /// training data.
  std::optional<FeatureDistance> feature_distance = std::nullopt;
};

/// Everything that decides on a model's scores: calibration, threshold, suspicious band and feature
/// distance. Stored in the `decision` section of the model's file under `rule`, with matrices as
/// tensors named `decision.…`.
///
/// The thresholds apply to the score itself; the calibration converts it to a probability.
class SECONDLOOK_EXPORT DecisionRule {
 public:
  /// Fits all parts to the same labelled scores, of cases that the model was not trained on.
  /// @param groups as in `SuspiciousBand`, or empty
  /// @throws InvalidArgument as `Calibration`, `tune_threshold` and `SuspiciousBand`, and if
  ///   `parameters` has none of these parts
  DecisionRule(std::span<const double> scores, std::span<const std::uint8_t> labels,
               const DecisionRuleParameters& parameters, std::span<const std::int64_t> groups = {});

  /// Decides by the band or, without a band, by the threshold.
  /// @param out_of_distribution as in `SuspiciousBand::decide`
  /// @throws InvalidArgument if a score is not finite, if the rule has neither band nor threshold,
  ///   and if it has a feature distance but gets neither features nor `out_of_distribution`
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution = {}) const;
  /// As above, and also refers samples whose feature distance is out of distribution.
  /// @param features of the same samples, shape (n, d)
  /// @throws InvalidArgument as above, and if the rule has no feature distance or another d
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, MatrixView<float> features,
      std::span<const std::uint8_t> out_of_distribution = {}) const;
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, MatrixView<double> features,
      std::span<const std::uint8_t> out_of_distribution = {}) const;

  /// P-value of a test that the scores come from the calibration distribution, see `MixtureDrift`.
  /// A different fraction of abnormal cases does not count as drift if the rule holds for any.
  /// @throws InvalidArgument if there is no score or one is not finite
  [[nodiscard]] double drift_p_value(std::span<const double> scores) const;

  [[nodiscard]] const std::optional<Calibration>& calibration() const noexcept {
    return calibration_;
  }
  [[nodiscard]] std::optional<double> threshold() const noexcept { return threshold_; }
  /// Parameters of the threshold; none without a threshold, and for older files that lack them.
  [[nodiscard]] const std::optional<TuneThresholdParameters>& threshold_parameters()
      const noexcept {
    return threshold_parameters_;
  }
  [[nodiscard]] const std::optional<SuspiciousBand>& band() const noexcept { return band_; }
  /// Parameters of the band: its guarantee, budget, costs or given thresholds.
  [[nodiscard]] const std::optional<SuspiciousBandParameters>& band_parameters() const noexcept {
    return band_parameters_;
  }
  [[nodiscard]] const std::optional<FeatureDistance>& feature_distance() const noexcept {
    return feature_distance_;
  }
  [[nodiscard]] const MixtureDrift& drift() const noexcept { return drift_; }

  /// Number of labelled cases of each class, counting every case of a group.
  [[nodiscard]] std::int64_t n_positives() const noexcept { return drift_.abnormal().count; }
  [[nodiscard]] std::int64_t n_negatives() const noexcept { return drift_.normal().count; }
  /// XXH3-64 over their scores and labels in order, 16 hexadecimal digits.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

  /// Whether the model has continued training since: the rule may not hold for its scores.
  [[nodiscard]] bool is_stale() const noexcept { return stale_; }

  /// Compares the rule with a model. The first call binds the rule to that model; a later call with
  /// a model of different tensors marks the rule stale.
  void compare_with(const ModelFile& file);

  /// Compares the rule with the model in `file`, then adds it to the file.
  /// @throws InvalidArgument if the file's `decision` section is not a JSON object
  void write_to(ModelFile& file);

  /// Reads the rule in a model's file, if there is one; stale if the model has continued training.
  /// @throws ModelFileError if it is inconsistent
  [[nodiscard]] static std::optional<DecisionRule> read_from(const ModelFile& file);

  /// The rule as JSON, without the matrices of the feature distance.
  [[nodiscard]] std::string to_json() const;
  /// @param feature_distance of the same rule, or none if it had none
  /// @throws InvalidArgument if `text` was not produced by `to_json`
  [[nodiscard]] static DecisionRule from_json(
      std::string_view text, std::optional<FeatureDistance> feature_distance = std::nullopt);

 private:
  explicit DecisionRule(MixtureDrift drift) : drift_(std::move(drift)) {}

  [[nodiscard]] std::vector<Decision> decide_by_score(
      std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution) const;
  template <class Scalar>
  [[nodiscard]] std::vector<Decision> decide_any(
      std::span<const double> scores, MatrixView<Scalar> features,
      std::span<const std::uint8_t> out_of_distribution) const;

  std::optional<Calibration> calibration_;
  std::optional<double> threshold_;
  std::optional<TuneThresholdParameters> threshold_parameters_;
  std::optional<SuspiciousBand> band_;
  std::optional<SuspiciousBandParameters> band_parameters_;
  std::optional<FeatureDistance> feature_distance_;
  MixtureDrift drift_;
  std::string fingerprint_;
  std::string model_fingerprint_;
  bool stale_ = false;
};

}  // namespace secondlook
