#include "secondlook/decide/anomaly_likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::AnomalyLikelihood;
using secondlook::RandomStream;

namespace {

double mean_of(const std::vector<double>& values, std::size_t first) {
  double sum = 0;
  for (std::size_t i = first; i < values.size(); ++i) sum += values[i];
  return sum / static_cast<double>(values.size() - first);
}

}  // namespace

TEST_CASE("AnomalyLikelihood: the plain formula until a window is full") {
  RandomStream random(1);
  AnomalyLikelihood stream({.short_window = 50, .long_window = 400, .warm_up = 1});
  std::vector<double> scores;
  for (int i = 0; i < 25; ++i) {  // gains 1 / n down to 2 / (50 + 1)
    scores.push_back(random.uniform());
    const double likelihood = stream.push(scores.back());
    if (i == 0) continue;
    const double mean = mean_of(scores, 0);
    double squares = 0;
    for (const double score : scores) squares += (score - mean) * (score - mean);
    REQUIRE(likelihood == Approx(0.5).margin(1e-9));  // both means are still equal
    REQUIRE(stream.state().long_mean == Approx(mean));
    REQUIRE(stream.state().long_variance == Approx(squares / static_cast<double>(scores.size())));
  }
}

TEST_CASE("AnomalyLikelihood: agrees with the paper's moving windows on the level") {
  RandomStream random(2);
  AnomalyLikelihood stream({.short_window = 10, .long_window = 500, .warm_up = 100});
  for (int i = 0; i < 5000; ++i) stream.push(random.uniform());
  // Uniform scores: mean 1/2, variance 1/12; 5 standard errors of exponential means of 500 and of
  // their square.
  REQUIRE(stream.state().long_mean == Approx(0.5).margin(5 * std::sqrt(1 / 12.0 / 500)));
  REQUIRE(stream.state().long_variance == Approx(1 / 12.0).margin(5 * std::sqrt(1 / 180.0 / 500)));
  for (int i = 0; i < 50; ++i) stream.push(1.0);
  const auto& s = stream.state();
  const double z = (s.short_mean - s.long_mean) / std::sqrt(s.long_variance);
  REQUIRE(stream.tail_probability() == Approx(std::erfc(z / std::sqrt(2.0)) / 2));
  REQUIRE(stream.likelihood() > 0.9);
}

TEST_CASE("AnomalyLikelihood: a noisy score is not unusual and a quiet one that rises is") {
  RandomStream random(3);
  AnomalyLikelihood noisy({.long_window = 2000});
  AnomalyLikelihood quiet({.long_window = 2000});
  double most_noisy = 0;
  for (int i = 0; i < 4000; ++i) {
    const double spike = random.uniform() < 0.2 ? 10 : 0;
    const double likelihood = noisy.push(spike);
    if (i > 1000) most_noisy = std::max(most_noisy, likelihood);
    quiet.push(1 + 0.01 * random.uniform());
  }
  double most_quiet = 0;
  for (int i = 0; i < 20; ++i) most_quiet = std::max(most_quiet, quiet.push(1.05));
  CHECK(most_noisy < 0.98);
  CHECK(most_quiet > 0.9999);
}

TEST_CASE("AnomalyLikelihood: constant scores are not unusual, not even after a change") {
  AnomalyLikelihood stream({.short_window = 5, .long_window = 50, .warm_up = 10});
  for (int i = 0; i < 100; ++i) REQUIRE(stream.push(0.1) == 0.5);
  for (int i = 0; i < 20'000; ++i) stream.push(0.3);
  REQUIRE(stream.likelihood() == Approx(0.5).margin(1e-6));
}

TEST_CASE("AnomalyLikelihood: recovers after an enormous score") {
  RandomStream random(4);
  AnomalyLikelihood stream({.short_window = 5, .long_window = 50, .warm_up = 10});
  for (int i = 0; i < 100; ++i) stream.push(random.uniform());
  stream.push(1e150);
  for (int i = 0; i < 20'000; ++i) stream.push(random.uniform());
  REQUIRE(stream.state().long_variance == Approx(1 / 12.0).epsilon(0.5));
}

TEST_CASE("AnomalyLikelihood: continues from a saved state") {
  RandomStream random(5);
  AnomalyLikelihood one({.short_window = 3, .long_window = 20, .warm_up = 5});
  for (int i = 0; i < 100; ++i) {
    AnomalyLikelihood other(one.parameters(), one.state());
    const double score = random.uniform();
    REQUIRE(one.push(score) == other.push(score));
    REQUIRE(one.state() == other.state());
  }
}

TEST_CASE("AnomalyLikelihood: reports invalid arguments") {
  REQUIRE_THROWS_WITH(AnomalyLikelihood({.short_window = 10, .long_window = 10}),
                      "AnomalyLikelihood: long_window must be above short_window 10, got 10");
  REQUIRE_THROWS_AS(AnomalyLikelihood({.short_window = 0}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(AnomalyLikelihood({.warm_up = 0}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(AnomalyLikelihood({.floor = -1}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(AnomalyLikelihood({}, {.count = 3, .long_variance = -1}),
                    secondlook::InvalidArgument);
  AnomalyLikelihood stream;
  REQUIRE_THROWS_WITH(stream.push(INFINITY),
                      "AnomalyLikelihood::push: expected a finite score of at most 1e150, got inf");
  REQUIRE_THROWS_AS(stream.push(NAN), secondlook::InvalidArgument);
  REQUIRE(stream.state().count == 0);
}
