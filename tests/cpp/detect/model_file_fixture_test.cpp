// Model files of older format versions remain readable; see tests/fixtures/README.md.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "secondlook/decide/decision_rule.hpp"
#include "secondlook/detect/isolation_forest.hpp"

using secondlook::DecisionRule;
using secondlook::IsolationForest;
using secondlook::MatrixView;
using secondlook::Model;
using secondlook::ModelFile;

namespace {

std::filesystem::path fixture() {
  return std::filesystem::path(SECONDLOOK_FIXTURES) / "isolation_forest_v1.safetensors";
}

MatrixView<float> rows_of(const ModelFile& file, const char* name) {
  const auto values = file.get<float>(name, {-1, 3});
  return {values.data(), static_cast<secondlook::Index>(values.size() / 3), 3};
}

void require_expected_scores(const IsolationForest& forest, const ModelFile& file) {
  const auto expected = file.get<double>("expected_scores", {-1});
  std::vector<double> scores(expected.size());
  forest.score_samples(rows_of(file, "rows"), scores);
  REQUIRE(scores == std::vector<double>(expected.begin(), expected.end()));
}

}  // namespace

TEST_CASE("ModelFile: a forest of format version 1 scores as when it was written") {
  const ModelFile file = ModelFile::read(fixture());
  const std::unique_ptr<Model> model = secondlook::load(fixture());
  const auto* forest = dynamic_cast<const IsolationForest*>(model.get());
  REQUIRE(forest != nullptr);
  require_expected_scores(*forest, file);
}

TEST_CASE("IsolationForest: the same seed gives the same scores as in Python") {
  const ModelFile file = ModelFile::read(fixture());
  const std::size_t max_features =
      GENERATE(0U, 3U);  // all features: by default, and as Python passes them
  IsolationForest forest({.n_estimators = 5,
                          .max_samples = 16,
                          .max_features = max_features,
                          .contamination = 0.125,
                          .seed = 7});
  forest.fit(rows_of(file, "training_rows"));
  require_expected_scores(forest, file);
}

TEST_CASE("ModelFile: networks and ensembles of format version 1 score as when they were written") {
  const std::string kind = GENERATE("autoencoder", "lstm_forecaster", "detector_ensemble");
  CAPTURE(kind);
  const auto path = std::filesystem::path(SECONDLOOK_FIXTURES) / (kind + "_v1.safetensors");
  const ModelFile file = ModelFile::read(path);
  const std::unique_ptr<Model> model = secondlook::load(path);
  REQUIRE(model->kind() == kind);
  const auto* detector = dynamic_cast<const secondlook::Detector*>(model.get());
  REQUIRE(detector != nullptr);
  const auto expected = file.get<double>("expected_scores", {-1});
  std::vector<double> scores(expected.size());
  detector->score_samples(rows_of(file, "rows"), scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    CAPTURE(i);
    const bool both_missing = std::isnan(scores[i]) && std::isnan(expected[i]);
    REQUIRE((both_missing ||
             std::abs(scores[i] - expected[i]) <= 1e-5 * std::max(1.0, std::abs(expected[i]))));
  }
}

TEST_CASE("ModelFile: a rule of format version 1 decides as when it was written") {
  const auto path = std::filesystem::path(SECONDLOOK_FIXTURES) / "decision_rule_v1.safetensors";
  const ModelFile file = ModelFile::read(path);
  const auto values = file.get<double>("rows", {-1, 3});
  const MatrixView<double> rows(values.data(), static_cast<secondlook::Index>(values.size() / 3),
                                3);
  std::vector<double> scores(values.size() / 3);
  IsolationForest::from_file(file).score_samples(rows, scores);
  for (double& score : scores) score = -score;
  const auto rule = DecisionRule::read_from(file);
  REQUIRE(rule.has_value());
  const auto decisions = rule->decide(scores, rows);
  const auto expected = file.get<std::int64_t>("expected_decisions", {-1});
  REQUIRE(decisions.size() == expected.size());
  for (std::size_t i = 0; i < decisions.size(); ++i)
    CHECK(static_cast<std::int64_t>(decisions[i]) == expected[i]);
}
