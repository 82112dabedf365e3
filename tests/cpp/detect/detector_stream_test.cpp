#include "secondlook/detect/detector_stream.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"

using secondlook::Detector;
using secondlook::DetectorStream;
using secondlook::Index;
using secondlook::InvalidArgument;
using secondlook::Matrix;
using secondlook::RandomStream;
using secondlook::StreamVerdict;

namespace {

Matrix<double> waves(Index n, std::uint64_t seed) {
  RandomStream random(seed);
  Matrix<double> x(n, 2);
  for (Index i = 0; i < n; ++i) {
    x(i, 0) = std::sin(0.25 * static_cast<double>(i)) + 0.1 * random.uniform();
    x(i, 1) = std::cos(0.25 * static_cast<double>(i)) + 0.1 * random.uniform();
  }
  return x;
}

std::vector<std::shared_ptr<Detector>> fitted_detectors() {
  std::vector<std::shared_ptr<Detector>> all;
  all.push_back(std::make_shared<secondlook::IsolationForest>(
      secondlook::IsolationForestParameters{.n_estimators = 50, .contamination = 0.05}));
  all.push_back(std::make_shared<secondlook::Autoencoder>(
      secondlook::AutoencoderParameters{.hidden = {4, 1}, .max_epochs = 2}));
  all.push_back(std::make_shared<secondlook::LstmForecaster>(
      secondlook::LstmForecasterParameters{.window = 8, .hidden = 4, .max_epochs = 1}));
  for (const auto& detector : all) {
    detector->fit(waves(400, 1));
    detector->set_feature_names({"current", "voltage"});
  }
  return all;
}

}  // namespace

TEST_CASE(
    "DetectorStream: scores and verdicts equal those of the batch, and anomalies have reasons") {
  auto x = waves(200, 2);
  x(150, 1) += 8;
  for (const auto& detector : fitted_detectors()) {
    CAPTURE(detector->kind());
    const auto expected = detector->score_samples(x);
    DetectorStream stream(detector);
    for (Index i = 0; i < x.rows(); ++i) {
      const auto record = stream.push(x.row(i));
      const double score = expected[static_cast<std::size_t>(i)];
      if (std::isnan(score)) {
        REQUIRE(record.verdict == StreamVerdict::unknown);
        continue;
      }
      REQUIRE(record.score == score);
      const bool anomaly = score < detector->offset();
      REQUIRE((record.verdict == StreamVerdict::anomaly) == anomaly);
      if (!anomaly) REQUIRE(record.reasons.empty());
      double fractions = 0;
      for (const auto& reason : record.reasons) {
        REQUIRE(reason.fraction >= 0.1);
        fractions += reason.fraction;
      }
      REQUIRE(fractions <= 1 + 1e-12);
      if (i == 150) {
        REQUIRE(record.verdict == StreamVerdict::anomaly);
        REQUIRE(record.reasons.at(0).name == "voltage");
        REQUIRE(record.reasons[0].feature == 1);
      }
    }
  }
}

TEST_CASE("DetectorStream: continues from its state") {
  const auto x = waves(120, 3);
  for (const auto& detector : fitted_detectors()) {
    CAPTURE(detector->kind());
    DetectorStream stream(detector, {.short_window = 3, .long_window = 50});
    for (Index i = 0; i < 60; ++i) stream.push(x.row(i));
    DetectorStream resumed(detector, {.short_window = 3, .long_window = 50}, stream.state());
    for (Index i = 60; i < 120; ++i) {
      const auto a = stream.push(x.row(i));
      const auto b = resumed.push(x.row(i));
      REQUIRE(a.score == b.score);
      REQUIRE(a.tail_probability == b.tail_probability);
    }
    REQUIRE(resumed.state() == stream.state());
  }
}

TEST_CASE("DetectorStream: a bad sample leaves the stream unchanged") {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto x = waves(50, 4);
  for (const auto& detector : fitted_detectors()) {
    CAPTURE(detector->kind());
    DetectorStream stream(detector);
    for (Index i = 0; i < 40; ++i) stream.push(x.row(i));
    const auto before = stream.state();
    REQUIRE_THROWS_AS(stream.push(std::vector<double>{1}), InvalidArgument);
    REQUIRE_THROWS_AS(stream.push(std::vector<double>{1, 2, 3}), InvalidArgument);
    REQUIRE_THROWS_AS(stream.push(std::vector<double>{infinity, 0}), InvalidArgument);
    REQUIRE_THROWS_AS(stream.push(x), InvalidArgument);
    REQUIRE(stream.state() == before);
    auto damaged = before;
    damaged.series.push_back(1);
    REQUIRE_THROWS_AS(DetectorStream(detector, {}, damaged), InvalidArgument);
  }
  REQUIRE_THROWS_AS(DetectorStream(nullptr), InvalidArgument);
  REQUIRE_THROWS_AS(DetectorStream(std::make_shared<secondlook::IsolationForest>()),
                    secondlook::NotFitted);
}

TEST_CASE(
    "DetectorStream: unnamed features are numbered, and ties keep the order of the features") {
  const auto forest = std::make_shared<secondlook::IsolationForest>(
      secondlook::IsolationForestParameters{.n_estimators = 50, .contamination = 0.05});
  forest->fit(waves(400, 5));
  DetectorStream stream(forest);
  const auto record = stream.push(std::vector<double>{9, 0.5});
  REQUIRE(record.verdict == StreamVerdict::anomaly);
  REQUIRE(record.reasons.at(0).name == "feature 0");
}
