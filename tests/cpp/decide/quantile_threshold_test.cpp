#include "secondlook/decide/quantile_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::fewest_scores;
using secondlook::quantile_threshold;
using secondlook::RandomStream;

namespace {

std::vector<double> uniform_scores(std::size_t n, RandomStream& random) {
  std::vector<double> scores(n);
  for (double& score : scores) score = random.uniform();
  return scores;
}

}  // namespace

TEST_CASE("quantile_threshold: just above the k-th largest score") {
  std::vector<double> scores(99);
  std::iota(scores.begin(), scores.end(), 1.0);
  REQUIRE(quantile_threshold(scores, 0.05) == std::nextafter(95.0, 100.0));
  REQUIRE(quantile_threshold(scores, 0.01) == std::nextafter(99.0, 100.0));
}

TEST_CASE("quantile_threshold: a score as large as many others is not an alarm") {
  std::vector<double> scores(1000, 7.0);
  REQUIRE(quantile_threshold(scores, 0.01) > 7.0);
  scores.resize(1010, 8.0);  // ten are higher: 0.01 · 1011 allows ten
  const double threshold = quantile_threshold(scores, 0.01);
  REQUIRE(threshold > 8.0);
  REQUIRE(quantile_threshold(scores, 0.02) < 8.0);
}

TEST_CASE("quantile_threshold: keeps the rate on average and no lower than needed") {
  const double rate = GENERATE(0.01, 0.1);
  RandomStream random(1);
  constexpr int kRepetitions = 2000;
  double sum = 0;
  for (int i = 0; i < kRepetitions; ++i)
    sum += 1 - quantile_threshold(uniform_scores(199, random), rate);
  // A threshold's true rate is Beta(k, 200 − k), with mean `rate` where rate · 200 is whole.
  const double error = std::sqrt(rate * (1 - rate) / 201 / kRepetitions);
  REQUIRE(std::abs(sum / kRepetitions - rate) < 4 * error);
}

TEST_CASE("quantile_threshold: with a confidence, rates that are too high are rare") {
  const double confidence = GENERATE(0.5, 0.9, 0.99);
  RandomStream random(2);
  constexpr int kRepetitions = 4000;
  int too_high = 0;
  for (int i = 0; i < kRepetitions; ++i)
    if (1 - quantile_threshold(uniform_scores(500, random), 0.05, confidence) > 0.05) ++too_high;
  const double promised = 1 - confidence;
  const double error = std::sqrt(promised * confidence / kRepetitions);
  REQUIRE(too_high / static_cast<double>(kRepetitions) < promised + 4 * error);
}

TEST_CASE("fewest_scores: returns the number of scores that a rate needs") {
  REQUIRE(fewest_scores(0.01) == 99);
  REQUIRE(fewest_scores(0.05, 0.95) == 59);  // the textbook number for tolerance limits
  REQUIRE(fewest_scores(0.9) == 1);
  const double rate = GENERATE(0.001, 0.01, 0.07, 0.5);
  const std::optional<double> confidence = GENERATE(std::optional<double>(), 0.9, 0.999);
  RandomStream random(3);
  const auto scores = uniform_scores(fewest_scores(rate, confidence), random);
  REQUIRE(quantile_threshold(scores, rate, confidence) >= *std::ranges::max_element(scores));
  if (scores.size() > 1)
    REQUIRE_THROWS_AS(
        quantile_threshold(std::span(scores).first(scores.size() - 1), rate, confidence),
        secondlook::InvalidArgument);
}

TEST_CASE("quantile_threshold: reports invalid arguments") {
  std::vector<double> scores(98, 1.0);
  REQUIRE_THROWS_WITH(
      quantile_threshold(scores, 0.01),
      "quantile_threshold: expected at least 99 scores for a false-alarm rate of 0.01, got 98");
  REQUIRE_THROWS_WITH(quantile_threshold(scores, 0),
                      "quantile_threshold: false_alarm_rate must lie in (0, 1), got 0");
  REQUIRE_THROWS_AS(quantile_threshold(scores, 0.5, 1.0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(quantile_threshold(scores, 1e-300), secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(quantile_threshold({}, 0.5),
                      "quantile_threshold: expected at least 1 score, got 0");
  scores[3] = std::nan("");
  REQUIRE_THROWS_WITH(quantile_threshold(scores, 0.5),
                      "quantile_threshold: expected finite scores, got nan at index 3");
}
