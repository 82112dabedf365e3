#include "secondlook/decide/conformal_p_values.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::ConformalPValues;
using secondlook::RandomStream;

namespace {

std::vector<double> uniform_scores(std::size_t n, RandomStream& random) {
  std::vector<double> scores(n);
  for (double& score : scores) score = random.uniform();
  return scores;
}

}  // namespace

TEST_CASE("ConformalPValues: counts calibration scores as large or larger") {
  const std::vector<double> calibration{3, 1, 2, 2};
  const std::vector<double> scores{0, 1, 2, 2.5, 3, 4};
  const auto p = ConformalPValues(calibration).p_values(scores);
  const std::vector<double> expected{1, 1, 0.8, 0.4, 0.4, 0.2};
  REQUIRE(p == expected);
}

TEST_CASE("ConformalPValues: super-uniform for normal samples") {
  RandomStream random(1);
  const std::size_t n = GENERATE(9, 99);
  constexpr int kRepetitions = 20'000;
  std::vector<double> p(kRepetitions);
  for (double& value : p) {
    const ConformalPValues conformal(uniform_scores(n, random));
    const std::vector<double> score{random.uniform()};
    value = conformal.p_values(score).front();
  }
  for (const double u : {0.1, 0.2, 0.5, 0.9}) {
    const auto below = std::ranges::count_if(p, [&](double value) { return value <= u + 1e-12; });
    const double error = std::sqrt(u * (1 - u) / kRepetitions);
    // Exactly uniform at these u, since (n + 1) · u is an integer and there are no ties.
    REQUIRE(std::abs(static_cast<double>(below) / kRepetitions - u) < 4 * error);
  }
}

TEST_CASE("ConformalPValues: with a confidence, a calibration keeps every level or is rare") {
  RandomStream random(2);
  constexpr std::size_t kCalibration = 100;
  constexpr int kRepetitions = 4000;
  const double confidence = GENERATE(0.5, 0.9);
  int broken = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    auto calibration = uniform_scores(kCalibration, random);
    const ConformalPValues conformal(calibration, confidence);
    // P(p ≤ u) for a uniform score can exceed u only where p jumps: just above a calibration score,
    // where p is the least of all lower scores, and P(score above it) = 1 − it.
    for (double& score : calibration) score = std::nextafter(score, 2.0);
    const auto p = conformal.p_values(calibration);
    bool breaks = false;
    for (std::size_t j = 0; j < kCalibration; ++j) breaks |= 1 - calibration[j] > p[j];
    if (breaks) ++broken;
  }
  const double promised = 1 - confidence;
  const double error = std::sqrt(promised * confidence / kRepetitions);
  REQUIRE(broken / static_cast<double>(kRepetitions) < promised + 4 * error);
  // The bound is not vacuous: some calibration sets do break it.
  REQUIRE(broken > 0);
}

TEST_CASE("ConformalPValues: a confidence only enlarges, in the same order") {
  RandomStream random(3);
  const std::size_t n = GENERATE(2, 3, 50, 1001);
  const auto calibration = uniform_scores(n, random);
  auto scores = uniform_scores(200, random);
  std::ranges::sort(scores);
  const auto plain = ConformalPValues(calibration).p_values(scores);
  const auto safe = ConformalPValues(calibration, 0.9).p_values(scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    REQUIRE(safe[i] > 0);
    REQUIRE(safe[i] <= 1);
    if (plain[i] < 0.3) REQUIRE(safe[i] >= plain[i]);
    if (i > 0) REQUIRE(safe[i] <= safe[i - 1]);
  }
}

TEST_CASE("ConformalPValues: reports invalid arguments") {
  const std::vector<double> one{1};
  REQUIRE_THROWS_WITH(ConformalPValues({}), "ConformalPValues: expected at least 1 score, got 0");
  REQUIRE_THROWS_WITH(
      ConformalPValues(one, 0.9),
      "ConformalPValues: expected at least 2 calibration scores with a confidence, got 1");
  REQUIRE_THROWS_WITH(ConformalPValues(one, 1.5),
                      "ConformalPValues: confidence must lie in (0, 1), got 1.5");
  REQUIRE_THROWS_WITH(ConformalPValues(one).p_values(std::vector<double>{1, INFINITY}),
                      "ConformalPValues::p_values: expected finite scores, got inf at index 1");
}
