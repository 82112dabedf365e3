#include "secondlook/decide/suspicious_band.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "decide/binomial.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"

using secondlook::Decision;
using secondlook::ErrorGuarantee;
using secondlook::RandomStream;
using secondlook::SuspiciousBand;
using secondlook::SuspiciousBandParameters;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// Smallest k such that more than k of n come with a probability below 1e-4 for this fraction.
int most_allowed(int n, double fraction) {
  int k = static_cast<int>(n * fraction);
  while (secondlook::decide::binomial_cdf(k, n, fraction) < 1 - 1e-4) ++k;
  return k;
}

}  // namespace

TEST_CASE("SuspiciousBand: both rates hold with the stated confidence") {
  // 10,000 calibrations with known truth.
  const double gap = GENERATE(1.0, 2.5);
  RandomStream random(1);
  constexpr int kRepetitions = 10000;
  int broken = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto [scores, labels] = normal_cases(400, gap, 3, random);
    const SuspiciousBand band(scores, labels,
                              {.max_miss_rate = 0.05, .max_false_alarm_rate = 0.03});
    broken += normal_cdf(band.lower() - gap) > 0.05 || normal_cdf(-band.upper()) > 0.03 ? 1 : 0;
  }
  REQUIRE(broken <= most_allowed(kRepetitions, 0.05));
  REQUIRE(broken > 0);
}

TEST_CASE("SuspiciousBand: selective rates hold with the stated confidence") {
  RandomStream random(2);
  SuspiciousBandParameters parameters{.max_miss_rate = 0.05,
                                      .max_false_alarm_rate = 0.1,
                                      .confidence = 0.8,
                                      .guarantee = ErrorGuarantee::selective};
  for (int i = 0; i <= 60; ++i) parameters.threshold_grid.push_back(-2 + 0.1 * i);
  constexpr int kRepetitions = 10000;
  constexpr double kAbnormalFraction = 0.25;  // fraction of abnormal cases
  int broken = 0;
  double decided = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    LabelledCases cases;
    for (int j = 0; j < 800; ++j) {
      cases.labels.push_back(random.uniform() < kAbnormalFraction ? 1 : 0);
      cases.scores.push_back(normal(random) + 2 * cases.labels.back());
    }
    const SuspiciousBand band(cases.scores, cases.labels, parameters);
    const double true_negative = (1 - kAbnormalFraction) * normal_cdf(band.lower());
    const double miss = kAbnormalFraction * normal_cdf(band.lower() - 2);
    const double true_positive = kAbnormalFraction * normal_cdf(2 - band.upper());
    const double alarm = (1 - kAbnormalFraction) * normal_cdf(-band.upper());
    decided += true_negative + miss + true_positive + alarm;
    broken += miss > 0.05 * (miss + true_negative) + 1e-12 ||
                      alarm > 0.1 * (alarm + true_positive) + 1e-12
                  ? 1
                  : 0;
  }
  REQUIRE(broken <= most_allowed(kRepetitions, 0.2));
  REQUIRE(decided / kRepetitions > 0.3);
}

TEST_CASE("SuspiciousBand: a single selective rate gives one threshold for both sides") {
  RandomStream random(4);
  const auto [scores, labels] = normal_cases(4000, 6, 2, random);
  SuspiciousBandParameters parameters{.guarantee = ErrorGuarantee::selective};
  for (int i = 0; i <= 100; ++i) parameters.threshold_grid.push_back(-2 + 0.1 * i);
  const bool of_misses = GENERATE(true, false);
  (of_misses ? parameters.max_miss_rate : parameters.max_false_alarm_rate) = 0.05;
  const SuspiciousBand band(scores, labels, parameters);
  REQUIRE(band.lower() == band.upper());
  REQUIRE(band.report(scores, labels).accuracy.value > 0.99);
  // With too few cases nothing is decided on the other side either.
  const SuspiciousBand few({scores.data(), 20}, {labels.data(), 20}, parameters);
  REQUIRE(few.lower() == -kInfinity);
  REQUIRE(few.upper() == kInfinity);
}

TEST_CASE("SuspiciousBand: a threshold is the order statistic that its bound allows") {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 200; ++i) {
    scores.push_back(i);
    labels.push_back(i % 2 == 0 ? 0 : 1);
  }
  const SuspiciousBand band(scores, labels, {.max_miss_rate = 0.1, .max_false_alarm_rate = 0.1});
  const std::size_t k = secondlook::decide::tolerance_rank(100, 0.1, 0.025);
  REQUIRE(k > 1);
  REQUIRE(band.lower() == 2.0 * static_cast<double>(k) - 1);
  REQUIRE(band.upper() == std::nextafter(200.0 - 2.0 * static_cast<double>(k), kInfinity));
  // A single rate uses all of the risk and gives one threshold.
  const SuspiciousBand one(scores, labels, {.max_miss_rate = 0.1});
  REQUIRE(one.lower() ==
          2.0 * static_cast<double>(secondlook::decide::tolerance_rank(100, 0.1, 0.05)) - 1);
  REQUIRE(one.upper() == one.lower());
}

TEST_CASE("SuspiciousBand: if the thresholds cross, one between them serves both") {
  RandomStream random(3);
  const auto [scores, labels] = normal_cases(1000, 4, 2, random);
  const SuspiciousBand band(scores, labels, {.max_miss_rate = 0.1, .max_false_alarm_rate = 0.1});
  REQUIRE(band.lower() == band.upper());
  const auto report = band.report(scores, labels);
  REQUIRE(report.referral_rate.value == 0);
  REQUIRE(report.accuracy.value > 0.95);
}

TEST_CASE("SuspiciousBand: refers with too few cases, and returns how many it needs") {
  const std::vector<double> scores{0.1, 0.2, 0.3, 0.8, 0.9};
  const std::vector<std::uint8_t> labels{0, 0, 0, 1, 1};
  const SuspiciousBand band(scores, labels, {.max_miss_rate = 0.01, .max_false_alarm_rate = 0.05});
  REQUIRE(band.lower() == -kInfinity);
  REQUIRE(band.upper() == kInfinity);
  REQUIRE(band.positives_needed() == 368);
  REQUIRE(band.negatives_needed() == 72);
  REQUIRE(band.decide(scores) == std::vector<Decision>(5, Decision::refer));
  // The same with one rate: nothing is decided on the other side either.
  const SuspiciousBand one(scores, labels, {.max_miss_rate = 0.01});
  REQUIRE(one.decide(scores) == std::vector<Decision>(5, Decision::refer));
}

TEST_CASE("SuspiciousBand: a budget and costs agree with trying every band") {
  RandomStream random(static_cast<std::uint64_t>(GENERATE(range(1, 15))));
  const auto [scores, labels] = tied_cases(25, 9, random);
  std::vector<double> cuts(scores);
  cuts.push_back(kInfinity);
  const double rate = 0.2;
  const secondlook::ReferralCosts costs{3, 1, 0.5};
  const auto errors = [&](const SuspiciousBand& band) {
    const auto& counts = band.report(scores, labels).counts;
    return counts[1][0] + counts[0][2];
  };
  const auto cost = [&](const SuspiciousBand& band) {
    const auto& counts = band.report(scores, labels).counts;
    return 3.0 * static_cast<double>(counts[1][0]) + static_cast<double>(counts[0][2]) +
           0.5 * static_cast<double>(counts[0][1] + counts[1][1]);
  };
  const SuspiciousBand within(scores, labels, {.max_referral_rate = rate});
  const SuspiciousBand cheapest(scores, labels, {.costs = costs});
  REQUIRE(within.report(scores, labels).referral_rate.value <= rate);
  for (const double lower : cuts)
    for (const double upper : cuts) {
      if (lower > upper) continue;
      const SuspiciousBand other(lower, upper);
      if (other.report(scores, labels).referral_rate.value <= rate)
        REQUIRE(errors(within) <= errors(other));
      REQUIRE(cost(cheapest) <= cost(other) + 1e-9);
    }
}

TEST_CASE("SuspiciousBand: one case per group counts, each with the same probability") {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  std::vector<std::int64_t> groups;
  for (int i = 0; i < 300; ++i) {
    scores.push_back(i % 3);
    labels.push_back(i < 150 ? 0 : 1);
    groups.push_back(i / 3);
  }
  double lowest = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const SuspiciousBand band(scores, labels, {.max_miss_rate = 0.5, .seed = seed}, groups);
    REQUIRE(band.n_positives() == 50);
    REQUIRE(band.n_negatives() == 50);
    lowest += band.lower();
  }
  REQUIRE(lowest > 0);
}

TEST_CASE("SuspiciousBand: given thresholds are kept, and the cases are counted") {
  const std::vector<double> scores{0.1, 0.2, 0.3, 0.4};
  const std::vector<std::uint8_t> labels{0, 1, 0, 0};
  const SuspiciousBand band(scores, labels, {.thresholds = secondlook::BandThresholds{-5, 5}},
                            std::vector<std::int64_t>{1, 2, 3, 3});
  REQUIRE(band.lower() == -5);
  REQUIRE(band.upper() == 5);
  REQUIRE(band.n_positives() == 1);
  REQUIRE(band.n_negatives() == 2);
  REQUIRE(band.positives_needed() == 0);
}

TEST_CASE("SuspiciousBand: reports invalid arguments") {
  const std::vector<double> scores{0.1, 0.2, 0.3};
  const std::vector<std::uint8_t> labels{0, 1, 0};
  REQUIRE_THROWS_WITH(SuspiciousBand(1, 0),
                      "SuspiciousBand: expected lower to be at most upper, got 1 and 0");
  REQUIRE_THROWS_AS(SuspiciousBand(std::nan(""), 0), secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(SuspiciousBand(scores, labels, {}),
                      "SuspiciousBand: expected exactly one of: error rates (max_miss_rate, "
                      "max_false_alarm_rate), max_referral_rate, costs, thresholds; got 0 of them");
  REQUIRE_THROWS_AS(SuspiciousBand(scores, labels, {.max_miss_rate = 1}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(
      SuspiciousBand(scores, labels, {.max_miss_rate = 0.1}, std::vector<std::int64_t>{1}),
      "SuspiciousBand: expected one group per score (3), got 1");
  REQUIRE_THROWS_WITH(
      SuspiciousBand(scores, labels,
                     {.max_miss_rate = 0.1,
                      .guarantee = ErrorGuarantee::selective,
                      .threshold_grid = {std::nan("")}}),
      "SuspiciousBand: expected finite values in threshold_grid, got nan at index 0");
  REQUIRE_THROWS_AS(
      SuspiciousBand(scores, labels, {.thresholds = secondlook::BandThresholds{1, 0}}),
      secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(SuspiciousBand({.lower = 0, .upper = 1, .n_positives = -1}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(SuspiciousBand(0, 1).decide(std::vector<double>{std::nan("")}),
                    secondlook::InvalidArgument);
}
