#include "secondlook/decide/false_discovery.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/decide/conformal_p_values.hpp"

using secondlook::benjamini_hochberg;
using secondlook::ConformalPValues;
using secondlook::RandomStream;
using secondlook::storey_null_fraction;

TEST_CASE("benjamini_hochberg: the example of its definition") {
  // p_(2) = 0.02 ≤ 2 · 0.05 / 5 is the last that holds; p_(1) on its own does not.
  const std::vector<double> p{0.5, 0.02, 0.9, 0.015, 0.04};
  REQUIRE(benjamini_hochberg(p, 0.05) == std::vector<std::uint8_t>{0, 1, 0, 1, 0});
  REQUIRE(benjamini_hochberg(p, 0.01) == std::vector<std::uint8_t>(5, 0));
  REQUIRE(benjamini_hochberg(p, 0.05, 0.5) == std::vector<std::uint8_t>{0, 1, 0, 1, 1});
}

TEST_CASE("benjamini_hochberg: meets its bounds despite rounding") {
  for (int m = 1; m <= 300; ++m) {
    std::vector<double> p(static_cast<std::size_t>(m));
    for (int i = 1; i <= m; ++i) p[static_cast<std::size_t>(i - 1)] = 0.1 * i / m;
    REQUIRE(benjamini_hochberg(p, 0.1) == std::vector<std::uint8_t>(p.size(), 1));
  }
}

TEST_CASE("benjamini_hochberg: keeps the false-discovery rate on conformal p-values") {
  const bool adaptive = GENERATE(false, true);
  RandomStream random(1);
  constexpr int kRepetitions = 2000;
  constexpr std::size_t kNormal = 80;
  constexpr std::size_t kAbnormal = 20;
  double sum = 0;
  double squares = 0;
  double found = 0;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    std::vector<double> calibration(499);
    for (double& score : calibration) score = random.uniform();
    std::vector<double> scores(kNormal + kAbnormal);
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i] = random.uniform() + (i < kNormal ? 0 : 0.8);
    const auto p = ConformalPValues(calibration).p_values(scores);
    const auto rejected = benjamini_hochberg(p, 0.2, adaptive ? storey_null_fraction(p) : 1);
    double wrong = 0;
    double right = 0;
    for (std::size_t i = 0; i < rejected.size(); ++i) (i < kNormal ? wrong : right) += rejected[i];
    const double fraction = wrong / std::max(1.0, wrong + right);
    sum += fraction;
    squares += fraction * fraction;
    found += right;
  }
  const double mean = sum / kRepetitions;
  const double error = std::sqrt((squares / kRepetitions - mean * mean) / kRepetitions);
  const double promised = adaptive ? 0.2 : 0.2 * kNormal / (kNormal + kAbnormal);
  CAPTURE(mean, error, found / kRepetitions);
  REQUIRE(mean < promised + 4 * error);
  REQUIRE(found / kRepetitions > 0.5 * kAbnormal);
}

TEST_CASE("storey_null_fraction: one without abnormal samples and less with many") {
  RandomStream random(2);
  std::vector<double> p(10'000);
  for (double& value : p) value = random.uniform();
  REQUIRE(storey_null_fraction(p) == Approx(1).margin(4 * std::sqrt(1.0 / 10'000)));
  for (std::size_t i = 0; i < 5'000; ++i) p[i] *= 1e-3;
  REQUIRE(storey_null_fraction(p) == Approx(0.5).margin(0.04));
}

TEST_CASE("benjamini_hochberg: reports invalid arguments") {
  const std::vector<double> p{0.5, 1.5};
  REQUIRE_THROWS_WITH(benjamini_hochberg(p, 0.1),
                      "benjamini_hochberg: expected p-values in [0, 1], got 1.5 at index 1");
  REQUIRE_THROWS_WITH(benjamini_hochberg({}, 0.1),
                      "benjamini_hochberg: expected at least 1 p-value, got 0");
  const std::vector<double> fine{0.5};
  REQUIRE_THROWS_AS(benjamini_hochberg(fine, 1), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(benjamini_hochberg(fine, 0.1, 0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(benjamini_hochberg(std::vector<double>{NAN}, 0.1), secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(storey_null_fraction(fine, 1),
                      "storey_null_fraction: cut must lie in (0, 1), got 1");
}
