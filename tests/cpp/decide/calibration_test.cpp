#include "secondlook/decide/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/decide/binary_metrics.hpp"
#include "secondlook/eigen.hpp"

using secondlook::Calibration;
using secondlook::CalibrationMethod;
using secondlook::fit_temperature;
using secondlook::RandomStream;

TEST_CASE("Calibration: calibrates overconfident logits") {
  const auto method = GENERATE(CalibrationMethod::platt, CalibrationMethod::isotonic,
                               CalibrationMethod::temperature);
  RandomStream random(1);
  LabelledCases cases;
  for (int i = 0; i < 8000; ++i) {
    const double logit = 2 * normal(random);
    cases.labels.push_back(random.uniform() < 1 / (1 + std::exp(-logit)) ? 1 : 0);
    cases.scores.push_back(3 * logit);
  }
  const std::span scores(cases.scores);
  const std::span labels(cases.labels);
  const Calibration calibration(method, scores.first(4000), labels.first(4000));
  const auto p = calibration.probabilities(scores.subspan(4000));
  const auto found = secondlook::binary_metrics(p, labels.subspan(4000), {.n_bootstrap = 0});
  REQUIRE(found.expected_calibration_error.value < 0.03);
}

TEST_CASE("Calibration: never falls, stays in [0, 1], and is restored from its state") {
  const auto method = GENERATE(CalibrationMethod::platt, CalibrationMethod::isotonic,
                               CalibrationMethod::temperature);
  RandomStream random(2);
  const auto [scores, labels] = normal_cases(100, 1.5, 2, random);
  const Calibration calibration(method, scores, labels);
  std::vector<double> rising(scores);
  std::ranges::sort(rising);
  const auto p = calibration.probabilities(rising);
  REQUIRE(std::ranges::is_sorted(p));
  REQUIRE(p.front() >= 0);
  REQUIRE(p.back() <= 1);
  REQUIRE(Calibration(calibration.state()).probabilities(rising) == p);
}

TEST_CASE("Calibration: isotonic pools adjacent violators") {
  const std::vector<double> scores{1, 2, 3, 4, 5, 5};
  const std::vector<std::uint8_t> labels{0, 1, 0, 1, 1, 0};
  const Calibration calibration(CalibrationMethod::isotonic, scores, labels);
  const std::vector<double> at{0, 1, 1.5, 2, 3, 4, 4.5, 5, 9};
  // 2 and 3 pool to ½; 4, at 1, would be above the two at 5, so these pool to ⅔.
  const std::vector<double> expected{0, 0, 0.25, 0.5, 0.5, 2.0 / 3, 2.0 / 3, 2.0 / 3, 2.0 / 3};
  const auto p = calibration.probabilities(at);
  for (std::size_t i = 0; i < at.size(); ++i) REQUIRE(p[i] == Approx(expected[i]).margin(1e-12));
}

TEST_CASE("fit_temperature: the gradient of the likelihood is zero there") {
  RandomStream random(3);
  secondlook::EigenMatrix<double> logits(400, 3);
  std::vector<std::int64_t> labels;
  for (secondlook::Index i = 0; i < logits.rows(); ++i) {
    for (secondlook::Index j = 0; j < 3; ++j) logits(i, j) = 4 * normal(random);
    secondlook::Index best = 0;
    logits.row(i).maxCoeff(&best);
    labels.push_back(random.uniform() < 0.7 ? best : static_cast<std::int64_t>(random.below(3)));
  }
  const auto loss = [&](double temperature) {
    double sum = 0;
    for (secondlook::Index i = 0; i < logits.rows(); ++i)
      sum += std::log((logits.row(i) / temperature).array().exp().sum()) -
             logits(i, labels[static_cast<std::size_t>(i)]) / temperature;
    return sum;
  };
  const double t = fit_temperature(logits, labels);
  REQUIRE(loss(t) < loss(t * 1.001));
  REQUIRE(loss(t) < loss(t / 1.001));
}

TEST_CASE("Calibration: reports invalid arguments") {
  const std::vector<double> scores{0.1, 0.2};
  const std::vector<std::uint8_t> one_class{1, 1};
  REQUIRE_THROWS_WITH(
      Calibration(CalibrationMethod::platt, scores, one_class),
      "Calibration: expected labels of both classes, got 2 positive and 0 negative");
  REQUIRE_THROWS_AS(Calibration({CalibrationMethod::isotonic, 0, 0, {1, 1}, {0, 1}}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(Calibration({CalibrationMethod::isotonic, 0, 0, {1, 2}, {0.5, 0.4}}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(Calibration({CalibrationMethod::temperature, 0, 0, {}, {}}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(Calibration({CalibrationMethod::platt, std::nan(""), 0, {}, {}}),
                    secondlook::InvalidArgument);
}
