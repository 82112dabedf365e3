#include "secondlook/decide/decision_rule.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "decide/labelled_scores.hpp"
#include "store/read_model.hpp"

namespace secondlook {

using json = StrictJson;

namespace {

constexpr std::array<std::string_view, 3> kMethods{"platt", "isotonic", "temperature"};
constexpr std::array<std::string_view, 2> kAmong{"each_class", "decided"};
constexpr std::array<std::string_view, 4> kObjectives{"accuracy", "f_beta", "balanced_accuracy",
                                                      "negative_cost"};

template <class Enum, std::size_t N>
Enum named(const std::array<std::string_view, N>& names, const std::string& name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  throw InvalidArgument("DecisionRule: unknown name '" + name + "'");
}

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

// JSON has no infinity, so those are words.
json cut_to_json(double cut) {
  if (std::isfinite(cut)) return cut;
  return cut > 0 ? "inf" : "-inf";
}
double cut_from_json(const json& value) {
  if (value.is_number()) return value.get<double>();
  const auto word = value.get<std::string>();
  require(word == "inf" || word == "-inf", "DecisionRule: expected a cut-off, got '{}'", word);
  return word == "inf" ? std::numeric_limits<double>::infinity()
                       : -std::numeric_limits<double>::infinity();
}

template <class Value>
json optional_to_json(const std::optional<Value>& value) {
  return value ? json(*value) : json(nullptr);
}
std::optional<double> optional_from_json(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

json calibration_to_json(const Calibration& calibration) {
  const auto& s = calibration.state();
  return {{"method", kMethods[static_cast<std::size_t>(s.method)]},
          {"slope", s.slope},
          {"intercept", s.intercept},
          {"scores", s.scores},
          {"probabilities", s.probabilities}};
}

Calibration calibration_from_json(const json& j) {
  return Calibration(Calibration::State{named<CalibrationMethod>(kMethods, j.at("method")),
                                        j.at("slope"), j.at("intercept"), j.at("scores"),
                                        j.at("probabilities")});
}

json parameters_to_json(const TuneThresholdParameters& p) {
  return {{"maximize", kObjectives[static_cast<std::size_t>(p.maximize)]},
          {"beta", p.beta},
          {"costs", {p.miss_cost, p.false_alarm_cost}},
          {"min_recall", optional_to_json(p.min_recall)},
          {"min_precision", optional_to_json(p.min_precision)},
          {"min_specificity", optional_to_json(p.min_specificity)},
          {"floor_confidence", optional_to_json(p.floor_confidence)}};
}

TuneThresholdParameters threshold_parameters_from_json(const json& j) {
  const json& costs = j.at("costs");
  return {.maximize = named<Objective>(kObjectives, j.at("maximize")),
          .beta = j.at("beta"),
          .miss_cost = costs.at(0),
          .false_alarm_cost = costs.at(1),
          .min_recall = optional_from_json(j.at("min_recall")),
          .min_precision = optional_from_json(j.at("min_precision")),
          .min_specificity = optional_from_json(j.at("min_specificity")),
          .floor_confidence = optional_from_json(j.at("floor_confidence"))};
}

json parameters_to_json(const SuspiciousBandParameters& p) {
  json j{{"max_miss_rate", optional_to_json(p.max_miss_rate)},
         {"max_false_alarm_rate", optional_to_json(p.max_false_alarm_rate)},
         {"confidence", p.confidence},
         {"among", kAmong[static_cast<std::size_t>(p.among)]},
         {"max_referral_rate", optional_to_json(p.max_referral_rate)},
         {"costs", nullptr},
         {"seed", p.seed}};
  if (p.costs) j["costs"] = {p.costs->miss, p.costs->false_alarm, p.costs->referral};
  if (p.cut_offs) j["cut_offs"] = {cut_to_json(p.cut_offs->lower), cut_to_json(p.cut_offs->upper)};
  if (!p.path.empty()) j["path"] = p.path;
  return j;
}

SuspiciousBandParameters band_parameters_from_json(const json& j) {
  SuspiciousBandParameters p;
  p.max_miss_rate = optional_from_json(j.at("max_miss_rate"));
  p.max_false_alarm_rate = optional_from_json(j.at("max_false_alarm_rate"));
  p.confidence = j.at("confidence");
  p.among = named<Among>(kAmong, j.at("among"));
  p.max_referral_rate = optional_from_json(j.at("max_referral_rate"));
  if (const json& costs = j.at("costs"); !costs.is_null())
    p.costs = ReferralCosts{costs.at(0), costs.at(1), costs.at(2)};
  p.seed = j.at("seed");
  if (j.contains("cut_offs"))
    p.cut_offs = CutOffs{cut_from_json(j["cut_offs"].at(0)), cut_from_json(j["cut_offs"].at(1))};
  if (j.contains("path")) p.path = j["path"].get<std::vector<double>>();
  return p;
}

json band_to_json(const SuspiciousBand& band, const SuspiciousBandParameters& parameters) {
  const auto& s = band.state();
  return {{"lower", cut_to_json(s.lower)},
          {"upper", cut_to_json(s.upper)},
          {"n_positives", s.n_positives},
          {"n_negatives", s.n_negatives},
          {"positives_needed", s.positives_needed},
          {"negatives_needed", s.negatives_needed},
          {"parameters", parameters_to_json(parameters)}};
}

SuspiciousBand band_from_json(const json& j) {
  const auto count = [&](const char* name) {  // older files have none
    return j.value(name, std::int64_t{0});
  };
  return SuspiciousBand({.lower = cut_from_json(j.at("lower")),
                         .upper = cut_from_json(j.at("upper")),
                         .n_positives = count("n_positives"),
                         .n_negatives = count("n_negatives"),
                         .positives_needed = count("positives_needed"),
                         .negatives_needed = count("negatives_needed")});
}

constexpr const char* kMeans = "decision.means";
constexpr const char* kWhitening = "decision.whitening";

void add(const FeatureDistance::State& s, ModelFile& file) {
  const auto as_span = [](const auto& matrix) {
    return std::span(matrix.data(), static_cast<std::size_t>(matrix.size()));
  };
  file.add<double>(kMeans, {s.means.rows(), s.means.cols()}, as_span(s.means));
  const Matrix<float> whitening = s.whitening.cast<float>();
  file.add<float>(kWhitening, {whitening.rows(), whitening.cols()}, as_span(whitening));
}

json to_json(const FeatureDistance::State& s) {
  return {{"threshold", s.threshold}, {"false_alarm_rate", s.false_alarm_rate}};
}

template <class Scalar>
Matrix<double> matrix_in(const ModelFile& file, std::string_view name) {
  const auto values = file.get<Scalar>(name, {-1, -1});
  const auto& shape = file.tensors().find(name)->second.shape;
  return MatrixView<Scalar>(values.data(), shape[0], shape[1]).eigen().template cast<double>();
}

FeatureDistance feature_distance_from(const json& j, const ModelFile& file) {
  return FeatureDistance({.means = matrix_in<double>(file, kMeans),
                          .whitening = matrix_in<float>(file, kWhitening),
                          .threshold = j.at("threshold"),
                          .false_alarm_rate = j.at("false_alarm_rate")});
}

json class_to_json(const MixtureDrift::ScoresOfClass& kept) {
  return {{"count", kept.count}, {"quantiles", kept.quantiles}};
}

MixtureDrift::ScoresOfClass class_from_json(const json& j) {
  return {j.at("count"), j.at("quantiles")};
}

// What came from outside: errors of JSON are errors of the rule's.
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
          "DecisionRule: expected a calibration, a threshold or a band to learn, got none");
  if (p.calibration) calibration_.emplace(*p.calibration, scores, labels);
  if (p.threshold) threshold_ = tune_threshold(scores, labels, *p.threshold).threshold;
  if (p.band) band_.emplace(scores, labels, *p.band, groups);
}

std::vector<Decision> DecisionRule::decide_by_score(std::span<const double> scores) const {
  require(band_ || threshold_, "DecisionRule::decide: expected a band or a threshold, got neither");
  return band_ ? band_->decide(scores) : SuspiciousBand(*threshold_, *threshold_).decide(scores);
}

std::vector<Decision> DecisionRule::decide(std::span<const double> scores) const {
  require(!feature_distance_,
          "DecisionRule::decide: expected features, for what is unlike the training data is "
          "referred");
  return decide_by_score(scores);
}

template <class Scalar>
std::vector<Decision> DecisionRule::decide_any(std::span<const double> scores,
                                               MatrixView<Scalar> features) const {
  require(feature_distance_.has_value(),
          "DecisionRule::decide: expected scores alone, for the rule has no feature distance");
  const auto unlike = feature_distance_->unlike(features);
  require(unlike.size() == scores.size(),
          "DecisionRule::decide: expected features of {} samples, got {}", scores.size(),
          unlike.size());
  auto decisions = decide_by_score(scores);
  for (std::size_t i = 0; i < decisions.size(); ++i)
    if (unlike[i]) decisions[i] = Decision::refer;
  return decisions;
}

std::vector<Decision> DecisionRule::decide(std::span<const double> scores,
                                           MatrixView<float> features) const {
  return decide_any(scores, features);
}
std::vector<Decision> DecisionRule::decide(std::span<const double> scores,
                                           MatrixView<double> features) const {
  return decide_any(scores, features);
}

void DecisionRule::compare_with(const ModelFile& file) {
  const std::string fingerprint = file.tensors_fingerprint();
  if (model_fingerprint_.empty()) model_fingerprint_ = fingerprint;
  stale_ = stale_ || model_fingerprint_ != fingerprint;
}

void DecisionRule::write_to(ModelFile& file) {
  compare_with(file);
  json decision = file.has_section("decision") ? parse(file.section("decision")) : json::object();
  require(decision.is_object(), "DecisionRule::write_to: expected an object in section decision");
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
      {"calibration", calibration_ ? calibration_to_json(*calibration_) : json(nullptr)},
      {"threshold", threshold_ ? cut_to_json(*threshold_) : json(nullptr)},
      {"threshold_parameters",
       threshold_parameters_ ? parameters_to_json(*threshold_parameters_) : json(nullptr)},
      {"feature_distance",
       feature_distance_ ? secondlook::to_json(feature_distance_->state()) : json(nullptr)},
      {"band", band_ ? band_to_json(*band_, *band_parameters_) : json(nullptr)},
      {"drift",
       {{"normal", class_to_json(drift_.normal())},
        {"abnormal", class_to_json(drift_.abnormal())}}},
      {"fingerprint", fingerprint_},
      {"model_fingerprint", model_fingerprint_},
      {"stale", stale_}};
  return j.dump();
}

DecisionRule DecisionRule::from_json(std::string_view text,
                                     std::optional<FeatureDistance> feature_distance) {
  const json j = parse(text);
  try {
    DecisionRule rule(MixtureDrift(class_from_json(j.at("drift").at("normal")),
                                   class_from_json(j.at("drift").at("abnormal"))));
    if (!j.at("calibration").is_null())
      rule.calibration_ = calibration_from_json(j.at("calibration"));
    if (const json& threshold = j.at("threshold"); !threshold.is_null())
      rule.threshold_ = cut_from_json(threshold);
    if (j.contains("threshold_parameters") && !j["threshold_parameters"].is_null())
      rule.threshold_parameters_ = threshold_parameters_from_json(j["threshold_parameters"]);
    if (const json& band = j.at("band"); !band.is_null()) {
      rule.band_ = band_from_json(band);
      rule.band_parameters_ = band_parameters_from_json(band.at("parameters"));
    }
    require(feature_distance.has_value() == !j.value("feature_distance", json()).is_null(),
            "DecisionRule: expected a feature distance where there was one");
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
