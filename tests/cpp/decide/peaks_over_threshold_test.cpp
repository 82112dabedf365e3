#include "secondlook/decide/peaks_over_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "catch.hpp"
#include "decide/generalised_pareto.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::PeaksOverThreshold;
using secondlook::PeaksOverThresholdParameters;
using secondlook::RandomStream;
using secondlook::decide::fit_generalised_pareto;
using secondlook::decide::GeneralisedPareto;
using secondlook::decide::Peak;
using secondlook::decide::upper_quantile;

namespace {

double draw(const GeneralisedPareto& tail, RandomStream& random) {
  return upper_quantile(tail, 1 - random.uniform());
}

std::vector<Peak> peaks_of(const GeneralisedPareto& tail, std::size_t n, std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<Peak> peaks(n);
  for (Peak& peak : peaks) peak = {draw(tail, random)};
  return peaks;
}

double log_likelihood(const GeneralisedPareto& tail, const std::vector<Peak>& peaks) {
  double sum = 0;
  for (const Peak& peak : peaks) {
    const double reach = std::log1p(tail.shape * peak.excess / tail.scale) / tail.shape;
    sum -= reach + (peak.censored ? 0 : std::log(tail.scale) + tail.shape * reach);
  }
  return sum;
}

std::vector<double> exponential_scores(std::size_t n, std::uint64_t seed) {
  RandomStream random(seed);
  std::vector<double> scores(n);
  for (double& score : scores) score = draw({0, 1}, random);
  return scores;
}

}  // namespace

TEST_CASE("generalised Pareto: the fit recovers the parameters") {
  const double shape = GENERATE(-0.4, -0.2, 0.0, 0.3, 1.0, 2.5);
  const double scale = GENERATE(1e-9, 1.0, 1e12);
  CAPTURE(shape, scale);
  const auto tail = fit_generalised_pareto(peaks_of({shape, scale}, 20'000, 1));
  REQUIRE(tail.has_value());
  // Standard errors of maximum likelihood: (1 + shape) / √n and scale · √(2 (1 + shape) / n).
  REQUIRE(tail->shape == Approx(shape).margin(4 * (1 + shape) / std::sqrt(20'000)));
  REQUIRE(tail->scale == Approx(scale).epsilon(4 * std::sqrt(2 * (1 + shape) / 20'000)));
}

TEST_CASE("generalised Pareto: no neighbour is likelier than the fit") {
  const double shape = GENERATE(-0.3, 0.1, 0.8);
  const std::uint64_t seed = GENERATE(1, 2, 3, 4);
  auto peaks = peaks_of({shape, 2.0}, 60, seed);
  const bool censor = GENERATE(false, true);
  if (censor)
    for (std::size_t i = 0; i < peaks.size(); i += 7) peaks[i] = {peaks[i].excess / 2, true};
  CAPTURE(shape, seed, censor);
  const auto tail = fit_generalised_pareto(peaks);
  REQUIRE(tail.has_value());
  const double best = log_likelihood(*tail, peaks);
  for (const double a : {-0.01, 0.0, 0.01})
    for (const double b : {0.99, 1.0, 1.01}) {
      const double other = log_likelihood({tail->shape + a, tail->scale * b}, peaks);
      if (!std::isnan(other)) REQUIRE(other <= best + 1e-9);
    }
}

TEST_CASE("generalised Pareto: censored peaks leave the fit unbiased") {
  auto peaks = peaks_of({0.2, 1.0}, 20'000, 5);
  for (Peak& peak : peaks)
    if (peak.excess > 2) peak = {2, true};
  const auto tail = fit_generalised_pareto(peaks);
  REQUIRE(tail->shape == Approx(0.2).margin(0.08));
  REQUIRE(tail->scale == Approx(1.0).margin(0.06));
}

TEST_CASE("generalised Pareto: moments without a maximum, and no fit for equal peaks") {
  std::vector<Peak> peaks;
  for (int i = 1; i <= 40; ++i) peaks.push_back({i < 20 ? 0.5 : 1.0});  // all mass at the upper end
  const auto tail = fit_generalised_pareto(peaks);
  REQUIRE(tail.has_value());
  REQUIRE(tail->scale > 0);
  REQUIRE(std::isfinite(tail->shape));
  REQUIRE(!fit_generalised_pareto(std::vector<Peak>(12, {3.0})).has_value());
  REQUIRE(!fit_generalised_pareto({}).has_value());
}

TEST_CASE("PeaksOverThreshold: extrapolates beyond the calibration scores") {
  // 5,000 scores, a risk of 1 in 100,000: that of the exponential is at log(1e5) = 11.5. The spread
  // of the estimate at this extrapolation is about 1.5.
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    sum += PeaksOverThreshold(exponential_scores(5000, seed), {.risk = 1e-5}).threshold();
  REQUIRE(sum / 20 == Approx(std::log(1e5)).margin(1.5));
}

TEST_CASE("PeaksOverThreshold: keeps the risk over a long stream") {
  const std::int64_t max_peaks = GENERATE(200, 1000);
  const GeneralisedPareto law{GENERATE(-0.2, 0.0, 0.3), 1.0};
  CAPTURE(max_peaks, law.shape);
  RandomStream random(1);
  std::vector<double> calibration(10'000);
  for (double& score : calibration) score = draw(law, random);
  PeaksOverThreshold tail(calibration, {.risk = 1e-3, .max_peaks = max_peaks});
  int alarms = 0;
  constexpr int kScores = 300'000;
  for (int i = 0; i < kScores; ++i) alarms += tail.push(draw(law, random)) ? 1 : 0;
  const double rate = static_cast<double>(alarms) / kScores;
  CHECK(rate > 0.5e-3);
  CHECK(rate < 2e-3);
  REQUIRE(std::ssize(tail.state().peaks) == max_peaks);
}

TEST_CASE("PeaksOverThreshold: a burst of anomalies does not lift the threshold") {
  PeaksOverThreshold tail(exponential_scores(10'000, 2));
  const double before = tail.threshold();
  for (int i = 0; i < 1000; ++i) REQUIRE(tail.push(1e6));
  REQUIRE(tail.threshold() == Approx(before).epsilon(0.05));
  REQUIRE(tail.state().n_alarms == 1000);
}

TEST_CASE("PeaksOverThreshold: a score equal to the threshold is an alarm and one below is not") {
  PeaksOverThreshold tail(exponential_scores(1000, 3));
  PeaksOverThreshold other = tail;
  REQUIRE(tail.push(tail.threshold()));
  REQUIRE(!other.push(std::nextafter(other.threshold(), 0)));
}

TEST_CASE("PeaksOverThreshold: follows a drift when asked to") {
  auto scores = exponential_scores(60'000, 4);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] += 1e-3 * static_cast<double>(i);
  PeaksOverThreshold tail{std::span(scores).first(20'000), {.drift_window = 200}};
  int alarms = 0;
  for (const double score : std::span(scores).subspan(20'000)) alarms += tail.push(score) ? 1 : 0;
  CHECK(alarms > 10);
  CHECK(alarms < 90);  // 40 expected
  CHECK(tail.threshold() == Approx(60 + std::log(1e3)).margin(3));
}

TEST_CASE("PeaksOverThreshold: many equal scores at the quantile never alarm by themselves") {
  std::vector<double> scores(1000, 1.0);
  for (std::size_t i = 0; i < 15; ++i) scores[i * 60] = 1.0 + 1e-3 * static_cast<double>(i + 1);
  PeaksOverThreshold tail(scores, {.risk = 0.0199, .level = 0.98});  // less than 15 in 1000
  REQUIRE(tail.threshold() > 1.0);
  REQUIRE(!tail.push(1.0));
}

TEST_CASE("PeaksOverThreshold: continues from a saved state") {
  const auto scores = exponential_scores(4000, 6);
  PeaksOverThreshold one{std::span(scores).first(1000), {.max_peaks = 15, .drift_window = 50}};
  for (const double score : std::span(scores).subspan(1000)) {
    PeaksOverThreshold other(one.parameters(), one.state());
    REQUIRE(one.push(score) == other.push(score));
    REQUIRE(one.threshold() == other.threshold());
  }
  REQUIRE(one.state().oldest > 0);
}

TEST_CASE("PeaksOverThreshold: reports invalid arguments") {
  REQUIRE_THROWS_WITH(PeaksOverThreshold(std::vector<double>(1000, 2.0)),
                      "PeaksOverThreshold: expected at least 10 scores above the 0.98-quantile 2, "
                      "got 0 of 1000");
  std::vector<double> two_values(1000, 2.0);
  std::fill_n(two_values.begin(), 15, 3.0);
  REQUIRE_THROWS_WITH(PeaksOverThreshold(two_values),
                      "PeaksOverThreshold: expected distinct scores above the 0.98-quantile, got "
                      "15 times 3");
  REQUIRE_THROWS_WITH(PeaksOverThreshold({}),
                      "PeaksOverThreshold: expected at least 1 score, got 0");
  const auto scores = exponential_scores(1000, 7);
  REQUIRE_THROWS_WITH(PeaksOverThreshold(scores, {.risk = 0}),
                      "PeaksOverThreshold: risk must lie in (0, 1), got 0");
  REQUIRE_THROWS_AS(PeaksOverThreshold(scores, {.risk = 0.1, .level = 0.95}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(PeaksOverThreshold(scores, {.max_peaks = 9}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(PeaksOverThreshold(scores, {.drift_window = 1000}),
                    secondlook::InvalidArgument);
  PeaksOverThreshold tail(scores);
  REQUIRE_THROWS_WITH(tail.push(NAN), "PeaksOverThreshold::push: expected a finite score, got nan");
  auto state = tail.state();
  state.oldest = state.peaks.size();
  REQUIRE_THROWS_AS(PeaksOverThreshold(tail.parameters(), state), secondlook::InvalidArgument);
  state = tail.state();
  state.peaks[0].excess = -1;
  REQUIRE_THROWS_AS(PeaksOverThreshold(tail.parameters(), state), secondlook::InvalidArgument);
}
