#include "secondlook/decide/decision_rule.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "decide/labelled_scores.hpp"
#include "secondlook/eigen.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook {

using json = StrictJson;

namespace {

MixtureDrift drift_of(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  const decide::LabelledScores cases("DecisionRule", scores, labels);
  cases.require_both_classes("DecisionRule");
  return {scores, labels};
}

std::string fingerprint_of(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, scores.data(), scores.size_bytes());
  XXH3_64bits_update(&state, labels.data(), labels.size_bytes());
  return fmt::format("{:016x}", XXH3_64bits_digest(&state));
}

// The band and its parameters as one object.
json band_to_json(const SuspiciousBand& band, const SuspiciousBandParameters& parameters) {
  json object = fields_to_json(band.state());
  object["parameters"] = parameters;
  return object;
}

constexpr const char* kMeans = "decision.means";
constexpr const char* kWhitening = "decision.whitening";

void add(const FeatureDistance::State& s, ModelFile& file) {
  file.add<double>(kMeans, {s.means.rows(), s.means.cols()}, s.means.values());
  const Matrix<float> whitening = to_matrix(as_eigen(s.whitening).cast<float>());
  file.add<float>(kWhitening, {whitening.rows(), whitening.cols()}, whitening.values());
}

json to_json(const FeatureDistance::State& s) {
  return {{"threshold", s.threshold}, {"false_alarm_rate", s.false_alarm_rate}};
}

template <class Scalar>
Matrix<double> matrix_in(const ModelFile& file, std::string_view name) {
  const auto values = file.get<Scalar>(name, {-1, -1});
  const auto& shape = file.tensors().find(name)->second.shape;
  Matrix<double> matrix(shape[0], shape[1]);
  std::ranges::copy(values, matrix.values().begin());
  return matrix;
}

FeatureDistance feature_distance_from(const json& j, const ModelFile& file) {
  return FeatureDistance({.means = matrix_in<double>(file, kMeans),
                          .whitening = matrix_in<float>(file, kWhitening),
                          .threshold = j.at("threshold"),
                          .false_alarm_rate = j.at("false_alarm_rate")});
}

// Parses text from outside and reports JSON errors as errors of the rule.
json parse(std::string_view text) {
  try {
    return json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw InvalidArgument(std::string("DecisionRule: expected JSON: ") + error.what());
  }
}

}  // namespace

DecisionRule::DecisionRule(std::span<const double> scores, std::span<const std::uint8_t> labels,
                           const DecisionRuleParameters& p, std::span<const std::int64_t> groups)
    : threshold_parameters_(p.threshold),
      band_parameters_(p.band),
      feature_distance_(p.feature_distance),
      drift_(drift_of(scores, labels)),
      fingerprint_(fingerprint_of(scores, labels)) {
  require(p.calibration || p.threshold || p.band,
          "DecisionRule: expected a calibration, a threshold or a band to fit, got none");
  if (p.calibration) calibration_.emplace(*p.calibration, scores, labels);
  if (p.threshold) threshold_ = tune_threshold(scores, labels, *p.threshold).threshold;
  if (p.band) band_.emplace(scores, labels, *p.band, groups);
}

std::vector<Decision> DecisionRule::decide_by_score(
    std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution) const {
  require(band_ || threshold_, "DecisionRule::decide: expected a band or a threshold, got neither");
  return (band_ ? *band_ : SuspiciousBand(*threshold_, *threshold_))
      .decide(scores, out_of_distribution);
}

std::vector<Decision> DecisionRule::decide(
    std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution) const {
  require(!feature_distance_ || !out_of_distribution.empty(),
          "DecisionRule::decide: expected features or out_of_distribution, since this rule has a "
          "feature_distance; got neither");
  return decide_by_score(scores, out_of_distribution);
}

template <class Scalar>
std::vector<Decision> DecisionRule::decide_any(
    std::span<const double> scores, MatrixView<Scalar> features,
    std::span<const std::uint8_t> out_of_distribution) const {
  require(feature_distance_.has_value(),
          "DecisionRule::decide: expected no features, since this rule has no feature_distance; "
          "got features");
  const auto far = feature_distance_->is_out_of_distribution(features);
  require(far.size() == scores.size(),
          "DecisionRule::decide: expected features of {} samples, got {}", scores.size(),
          far.size());
  auto decisions = decide_by_score(scores, out_of_distribution);
  for (std::size_t i = 0; i < decisions.size(); ++i)
    if (far[i]) decisions[i] = Decision::refer;
  return decisions;
}

std::vector<Decision> DecisionRule::decide(
    std::span<const double> scores, MatrixView<float> features,
    std::span<const std::uint8_t> out_of_distribution) const {
  return decide_any(scores, features, out_of_distribution);
}
std::vector<Decision> DecisionRule::decide(
    std::span<const double> scores, MatrixView<double> features,
    std::span<const std::uint8_t> out_of_distribution) const {
  return decide_any(scores, features, out_of_distribution);
}

double DecisionRule::drift_p_value(std::span<const double> scores) const {
  return drift_.p_value(scores, !band_parameters_ || holds_for_any_mixture(*band_parameters_));
}

void DecisionRule::compare_with(const ModelFile& file) {
  const std::string fingerprint = file.tensors_fingerprint();
  if (model_fingerprint_.empty()) model_fingerprint_ = fingerprint;
  stale_ = stale_ || model_fingerprint_ != fingerprint;
}

void DecisionRule::write_to(ModelFile& file) {
  compare_with(file);
  json decision = file.has_section("decision") ? parse(file.section("decision")) : json::object();
  require(decision.is_object(),
          "DecisionRule::write_to: expected a JSON object in section 'decision', got {}",
          decision.type_name());
  decision["rule"] = parse(to_json());
  file.set_section("decision", decision.dump());
  file.erase_tensor(kMeans);
  file.erase_tensor(kWhitening);
  if (feature_distance_) add(feature_distance_->state(), file);
}

std::optional<DecisionRule> DecisionRule::read_from(const ModelFile& file) {
  if (!file.has_section("decision")) return std::nullopt;
  try {
    const json decision = parse(file.section("decision"));
    if (!decision.is_object() || !decision.contains("rule")) return std::nullopt;
    const json& kept = decision["rule"];
    const json distance = kept.is_object() ? kept.value("feature_distance", json()) : json();
    DecisionRule rule = distance.is_null()
                            ? from_json(kept.dump())
                            : from_json(kept.dump(), feature_distance_from(distance, file));
    rule.stale_ = rule.stale_ || rule.model_fingerprint_ != file.tensors_fingerprint();
    return rule;
  } catch (const InvalidArgument& error) {
    throw ModelFileError(error.what());
  } catch (const nlohmann::json::exception& error) {
    throw ModelFileError(std::string("DecisionRule: ") + error.what());
  }
}

std::string DecisionRule::to_json() const {
  const json j{
      {"calibration", calibration_ ? fields_to_json(calibration_->state()) : json(nullptr)},
      {"threshold", threshold_},
      {"threshold_parameters", threshold_parameters_},
      {"feature_distance",
       feature_distance_ ? secondlook::to_json(feature_distance_->state()) : json(nullptr)},
      {"band", band_ ? band_to_json(*band_, *band_parameters_) : json(nullptr)},
      {"drift", {{"normal", drift_.normal()}, {"abnormal", drift_.abnormal()}}},
      {"fingerprint", fingerprint_},
      {"model_fingerprint", model_fingerprint_},
      {"stale", stale_}};
  return j.dump();
}

DecisionRule DecisionRule::from_json(std::string_view text,
                                     std::optional<FeatureDistance> feature_distance) {
  const json j = parse(text);
  try {
    const json& drift = j.at("drift");
    DecisionRule rule(MixtureDrift(drift.at("normal").get<MixtureDrift::ScoresOfClass>(),
                                   drift.at("abnormal").get<MixtureDrift::ScoresOfClass>()));
    if (const json& calibration = j.at("calibration"); !calibration.is_null())
      rule.calibration_ = Calibration(calibration.get<Calibration::State>());
    j.at("threshold").get_to(rule.threshold_);
    if (j.contains("threshold_parameters"))
      j["threshold_parameters"].get_to(rule.threshold_parameters_);
    if (json band = j.at("band"); !band.is_null()) {
      rule.band_parameters_ = band.at("parameters").get<SuspiciousBandParameters>();
      band.erase("parameters");
      rule.band_ = SuspiciousBand(band.get<SuspiciousBand::State>());
    }
    require(feature_distance.has_value() == !j.value("feature_distance", json()).is_null(),
            "DecisionRule::from_json: expected a feature_distance if, and only if, the rule has "
            "one");
    rule.feature_distance_ = std::move(feature_distance);
    rule.fingerprint_ = j.at("fingerprint");
    rule.model_fingerprint_ = j.at("model_fingerprint");
    rule.stale_ = j.at("stale");
    require(rule.calibration_ || rule.threshold_ || rule.band_,
            "DecisionRule: expected a calibration, a threshold or a band, got none");
    return rule;
  } catch (const nlohmann::json::exception& error) {
    throw InvalidArgument(std::string("DecisionRule: ") + error.what());
  }
}

}  // namespace secondlook
