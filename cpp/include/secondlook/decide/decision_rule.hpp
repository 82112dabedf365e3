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

/// Which decisions a rule is to learn; one at least.
struct DecisionRuleParameters {
  std::optional<CalibrationMethod> calibration = std::nullopt;
  std::optional<TuneThresholdParameters> threshold = std::nullopt;
  std::optional<SuspiciousBandParameters> band = std::nullopt;
  /// Refers what is unlike the training data; learned already, from the model's features of it.
  std::optional<FeatureDistance> feature_distance = std::nullopt;
};

/// All that is decided on a model's scores, and what it rests on: kept in the model's file, in
/// its `decision` section under `rule`, matrices as tensors named `decision.…`.
///
/// Thresholds are of the score itself; the calibration says what probability it stands for.
class SECONDLOOK_EXPORT DecisionRule {
 public:
  /// Learns each part from the same labelled scores, which the model was not trained on.
  /// @param groups as of `SuspiciousBand`; or none
  /// @throws InvalidArgument as `Calibration`, `tune_threshold` and `SuspiciousBand`, and where
  ///   nothing is to be learned
  DecisionRule(std::span<const double> scores, std::span<const std::uint8_t> labels,
               const DecisionRuleParameters& parameters, std::span<const std::int64_t> groups = {});

  /// Decides by the band, or where there is none by the threshold.
  /// @param out_of_distribution as of `SuspiciousBand::decide`
  /// @throws InvalidArgument for scores that are not finite, where the rule has neither, and where
  ///   it has a feature distance and gets neither features nor `out_of_distribution`
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution = {}) const;
  /// As above, and refers what the feature distance finds unlike the training data, too.
  /// @param features of the same samples, shape (n, d)
  /// @throws InvalidArgument as above, and where the rule has no feature distance or another d
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, MatrixView<float> features,
      std::span<const std::uint8_t> out_of_distribution = {}) const;
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, MatrixView<double> features,
      std::span<const std::uint8_t> out_of_distribution = {}) const;

  /// Probability that scores like the calibration's differ as much from it, see `MixtureDrift`: a
  /// different fraction of abnormal cases is no drift where the rule holds for any.
  /// @throws InvalidArgument for no scores and scores that are not finite
  [[nodiscard]] double drift_p_value(std::span<const double> scores) const;

  [[nodiscard]] const std::optional<Calibration>& calibration() const noexcept {
    return calibration_;
  }
  [[nodiscard]] std::optional<double> threshold() const noexcept { return threshold_; }
  /// How the threshold was chosen; also nothing where an older file has a threshold alone.
  [[nodiscard]] const std::optional<TuneThresholdParameters>& threshold_parameters()
      const noexcept {
    return threshold_parameters_;
  }
  [[nodiscard]] const std::optional<SuspiciousBand>& band() const noexcept { return band_; }
  /// What the band guarantees, or was chosen for.
  [[nodiscard]] const std::optional<SuspiciousBandParameters>& band_parameters() const noexcept {
    return band_parameters_;
  }
  [[nodiscard]] const std::optional<FeatureDistance>& feature_distance() const noexcept {
    return feature_distance_;
  }
  [[nodiscard]] const MixtureDrift& drift() const noexcept { return drift_; }

  /// Labelled cases learned from, before one a group was drawn.
  [[nodiscard]] std::int64_t n_positives() const noexcept { return drift_.abnormal().count; }
  [[nodiscard]] std::int64_t n_negatives() const noexcept { return drift_.normal().count; }
  /// XXH3-64 over their scores and labels in order, 16 hexadecimal digits.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

  /// Whether the model has learned on since: the rule may not hold for its scores.
  [[nodiscard]] bool is_stale() const noexcept { return stale_; }

  /// Makes the first model that it is compared with its own, and is stale with one of other
  /// tensors.
  void compare_with(const ModelFile& file);

  /// Adds the rule to the file of the model whose scores it decides on, compared with it before.
  /// @throws InvalidArgument where the file's `decision` section is no object
  void write_to(ModelFile& file);

  /// The rule in a model's file, if it has one; stale if the model has learned on.
  /// @throws ModelFileError where it holds together no more
  [[nodiscard]] static std::optional<DecisionRule> read_from(const ModelFile& file);

  /// The rule on its own, as JSON; of the feature distance only what is no matrix.
  [[nodiscard]] std::string to_json() const;
  /// @param feature_distance of the same rule, or none where it had none
  /// @throws InvalidArgument for what `to_json` never writes
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
