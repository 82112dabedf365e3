#include "secondlook/decide/decision_rule.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/eigen.hpp"
#include "store/strict_json.hpp"

using secondlook::CalibrationMethod;
using secondlook::Decision;
using secondlook::DecisionRule;
using secondlook::DecisionRuleParameters;
using secondlook::ErrorGuarantee;
using secondlook::ModelFile;
using secondlook::RandomStream;
using secondlook::SuspiciousBand;

namespace {

LabelledCases some_cases() {
  RandomStream random(1);
  return normal_cases(900, 2, 3, random);
}

DecisionRuleParameters everything() {
  return {.calibration = CalibrationMethod::isotonic,
          .threshold = secondlook::TuneThresholdParameters{.min_recall = 0.9},
          .band = secondlook::SuspiciousBandParameters{.max_miss_rate = 0.05,
                                                       .max_false_alarm_rate = 0.02}};
}

ModelFile model_with(float weight) {
  ModelFile file("some_model");
  file.add<float>("weights", {1}, std::vector<float>{weight});
  file.set_section("decision", R"({"offset":-0.5,"stale":false})");
  return file;
}

}  // namespace

TEST_CASE("DecisionRule: its parts equal those fitted separately") {
  const auto [scores, labels] = some_cases();
  const auto parameters = everything();
  const DecisionRule rule(scores, labels, parameters);
  const SuspiciousBand band(scores, labels, *parameters.band);
  REQUIRE(rule.decide(scores) == band.decide(scores));
  REQUIRE(rule.threshold() ==
          secondlook::tune_threshold(scores, labels, *parameters.threshold).threshold);
  REQUIRE(
      rule.calibration()->probabilities(scores) ==
      secondlook::Calibration(CalibrationMethod::isotonic, scores, labels).probabilities(scores));
  REQUIRE(rule.n_positives() == 300);
  REQUIRE(rule.n_negatives() == 600);
  REQUIRE_FALSE(rule.is_stale());
  const DecisionRule cut(scores, labels, {.threshold = parameters.threshold});
  const std::vector<double> around{*cut.threshold() - 1e-9, *cut.threshold()};
  REQUIRE(cut.decide(around) == std::vector{Decision::negative, Decision::positive});
}

TEST_CASE("DecisionRule: is stored in its model's file next to other decisions") {
  const auto [scores, labels] = some_cases();
  DecisionRule rule(scores, labels, everything());
  ModelFile file = model_with(1);
  rule.write_to(file);
  const std::string bytes = file.serialize();
  const auto again = DecisionRule::read_from(ModelFile::parse(std::as_bytes(std::span(bytes))));
  REQUIRE(again);
  REQUIRE(again->to_json() == rule.to_json());
  REQUIRE(again->decide(scores) == rule.decide(scores));
  REQUIRE_FALSE(again->is_stale());
  REQUIRE(file.section("decision").find(R"("offset":-0.5)") != std::string::npos);
  REQUIRE_FALSE(DecisionRule::read_from(model_with(1)));
  REQUIRE_FALSE(DecisionRule::read_from(ModelFile("bare")));
}

TEST_CASE("DecisionRule: is stale once the model has continued training") {
  const auto [scores, labels] = some_cases();
  DecisionRule rule(scores, labels, everything());
  ModelFile before = model_with(1);
  rule.write_to(before);
  // Written again with other weights, or read from a file with modified weights.
  ModelFile after = model_with(2);
  after.set_section("decision", before.section("decision"));
  REQUIRE(DecisionRule::read_from(after)->is_stale());
  ModelFile learned = model_with(3);
  rule.write_to(learned);
  REQUIRE(rule.is_stale());
  REQUIRE(DecisionRule::read_from(learned)->is_stale());
}

TEST_CASE("DecisionRule: refers cases marked as out of distribution") {
  const auto [scores, labels] = some_cases();
  const DecisionRule rule(scores, labels, {.threshold = secondlook::TuneThresholdParameters{}});
  const std::vector<double> clear{-100, 100};
  REQUIRE(rule.decide(clear) == std::vector{Decision::negative, Decision::positive});
  REQUIRE(rule.decide(clear, std::vector<std::uint8_t>{0, 1}) ==
          std::vector{Decision::negative, Decision::refer});
  REQUIRE_THROWS_WITH(
      rule.decide(clear, std::vector<std::uint8_t>{1}),
      "SuspiciousBand::decide: expected one value of out_of_distribution per score (2), got 1");
  REQUIRE_THROWS_WITH(rule.decide(clear, secondlook::Matrix<double>(2, 2)),
                      Catch::Matchers::Contains("expected no features"));
}

TEST_CASE("DecisionRule: refers samples out of distribution, also when read from a file") {
  const auto [scores, labels] = some_cases();
  RandomStream random(5);
  secondlook::EigenMatrix<double> training(400, 2);
  for (double& value : training.reshaped()) value = normal(random);
  auto parameters = everything();
  parameters.feature_distance.emplace(training.topRows(300).eval(), training.bottomRows(100).eval(),
                                      0.01);
  DecisionRule rule(scores, labels, parameters);
  ModelFile file = model_with(1);
  const std::string fingerprint = file.tensors_fingerprint();
  rule.write_to(file);
  // The tensors of the rule do not belong to the model.
  REQUIRE(file.tensors_fingerprint() == fingerprint);
  rule.write_to(file);  // replaces itself
  const std::string bytes = file.serialize();
  const auto again = DecisionRule::read_from(ModelFile::parse(std::as_bytes(std::span(bytes))));
  REQUIRE(again);
  REQUIRE_FALSE(again->is_stale());

  const std::vector<double> high{9, 9, -9};
  secondlook::EigenMatrix<double> features(3, 2);
  features << 0, 0, 40, -40, 0.1, 0;
  const std::vector expected{Decision::positive, Decision::refer, Decision::negative};
  REQUIRE(rule.decide(high, features) == expected);
  REQUIRE(again->decide(high, features) == expected);
  REQUIRE(again->decide(high, secondlook::EigenMatrix<float>(features.cast<float>())) == expected);
  REQUIRE(again->feature_distance()->distances(features) ==
          rule.feature_distance()->distances(features));
  REQUIRE_THROWS_AS(rule.decide(high), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(rule.decide(scores, features), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(DecisionRule(scores, labels, everything()).decide(high, features),
                    secondlook::InvalidArgument);

  REQUIRE_THROWS_AS(DecisionRule::from_json(rule.to_json()), secondlook::InvalidArgument);
  file.erase_tensor("decision.whitening");
  REQUIRE_THROWS_AS(DecisionRule::read_from(file), secondlook::ModelFileError);
  DecisionRule(scores, labels, everything()).write_to(file);  // replaced by a rule without it
  REQUIRE_FALSE(file.has_tensor("decision.means"));
}

TEST_CASE("DecisionRule: keeps thresholds that are infinite") {
  const std::vector<double> scores{0.1, 0.2, 0.3};
  const std::vector<std::uint8_t> labels{0, 0, 1};
  const DecisionRule rule(
      scores, labels,
      {.band = secondlook::SuspiciousBandParameters{.max_miss_rate = 0.01,
                                                    .max_false_alarm_rate = 0.01,
                                                    .guarantee = ErrorGuarantee::selective}});
  const DecisionRule again = DecisionRule::from_json(rule.to_json());
  REQUIRE(again.band()->lower() == -std::numeric_limits<double>::infinity());
  REQUIRE(again.band()->upper() == std::numeric_limits<double>::infinity());
  REQUIRE(again.band_parameters()->guarantee == ErrorGuarantee::selective);
}

TEST_CASE("DecisionRule: stores its parameters and the number of cases") {
  const auto [scores, labels] = some_cases();
  std::vector<std::int64_t> groups(scores.size());
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<std::int64_t>(i / 2);
  const DecisionRule rule(
      scores, labels,
      {.threshold = secondlook::TuneThresholdParameters{.maximize = secondlook::Objective::f_beta,
                                                        .beta = 2,
                                                        .costs = {.miss = 3},
                                                        .min_specificity = 0.5,
                                                        .floor_confidence = 0.9},
       .band = secondlook::SuspiciousBandParameters{.max_miss_rate = 0.1,
                                                    .max_false_alarm_rate = 0.2,
                                                    .guarantee = ErrorGuarantee::selective,
                                                    .threshold_grid = {-1, 0, 1, 2, 3}}},
      groups);
  const DecisionRule again = DecisionRule::from_json(rule.to_json());
  REQUIRE(again.to_json() == rule.to_json());
  const auto& tuned = *again.threshold_parameters();
  REQUIRE(tuned.maximize == secondlook::Objective::f_beta);
  REQUIRE(tuned.beta == 2);
  REQUIRE(tuned.costs.miss == 3);
  REQUIRE(tuned.min_specificity == 0.5);
  REQUIRE(tuned.floor_confidence == 0.9);
  REQUIRE_FALSE(tuned.min_recall);
  REQUIRE(again.band_parameters()->threshold_grid == std::vector<double>{-1, 0, 1, 2, 3});
  REQUIRE(again.band()->n_positives() + again.band()->n_negatives() == 450);
  REQUIRE(again.band()->n_positives() == rule.band()->n_positives());
  REQUIRE(again.band()->positives_needed() == rule.band()->positives_needed());
  REQUIRE(again.band()->positives_needed() > 0);
}

TEST_CASE("DecisionRule: reads files without its parameters") {
  const auto [scores, labels] = some_cases();
  auto json = secondlook::StrictJson::parse(DecisionRule(scores, labels, everything()).to_json());
  json.erase("threshold_parameters");
  for (const char* name : {"n_positives", "n_negatives", "positives_needed", "negatives_needed"})
    json["band"].erase(name);
  const DecisionRule older = DecisionRule::from_json(json.dump());
  REQUIRE(older.threshold());
  REQUIRE_FALSE(older.threshold_parameters());
  REQUIRE(older.band()->n_positives() == 0);
}

TEST_CASE("DecisionRule: keeps given thresholds") {
  const auto [scores, labels] = some_cases();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const secondlook::SuspiciousBandParameters by_hand{.thresholds =
                                                         secondlook::BandThresholds{-5, kInfinity}};
  const DecisionRule again =
      DecisionRule::from_json(DecisionRule(scores, labels, {.band = by_hand}).to_json());
  REQUIRE(again.band()->lower() == -5);
  REQUIRE(again.band()->n_positives() == 300);
  REQUIRE(again.band_parameters()->thresholds->upper == kInfinity);
}

TEST_CASE("DecisionRule: reports inconsistent JSON") {
  const auto [scores, labels] = some_cases();
  REQUIRE_THROWS_AS(DecisionRule(scores, labels, {}), secondlook::InvalidArgument);
  DecisionRule rule(scores, labels, everything());
  std::string text = rule.to_json();
  const std::string damage =
      GENERATE(R"("count":)", R"("lower":)", R"("slope":)", R"("guarantee":)", R"("confidence":)",
               R"("stale":)", R"("threshold":)", R"("n_positives":)", R"("maximize":)");
  text.replace(text.find(damage), damage.size(), damage + "[]" + ",\"x\":");
  REQUIRE_THROWS_AS(DecisionRule::from_json(text), secondlook::InvalidArgument);
  ModelFile file = model_with(1);
  file.set_section("decision", R"({"rule":)" + text + "}");
  REQUIRE_THROWS_AS(DecisionRule::read_from(file), secondlook::ModelFileError);
  REQUIRE_THROWS_AS(DecisionRule::from_json("{"), secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(
      DecisionRule(scores, std::vector<std::uint8_t>(scores.size(), 0), everything()),
      "DecisionRule: expected labels of both classes, got 0 positive and 900 negative");
  const DecisionRule only_calibrated(scores, labels, {.calibration = CalibrationMethod::platt});
  REQUIRE_THROWS_AS(only_calibrated.decide(scores), secondlook::InvalidArgument);
}
