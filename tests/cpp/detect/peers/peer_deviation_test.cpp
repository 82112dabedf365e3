#include "secondlook/detect/peer_deviation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/eigen.hpp"

using secondlook::EigenMatrix;
using secondlook::Index;
using secondlook::MatrixView;
using secondlook::PeerDeviation;
using secondlook::PeerDeviationParameters;
using secondlook::PeerDeviationStream;
using secondlook::PeerVerdict;
using secondlook::PlantState;
using secondlook::RandomStream;
using secondlook::Side;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

EigenMatrix<double> readings(Index instants, Index sensors, std::uint64_t seed,
                             double missing = 0) {
  RandomStream random(seed);
  EigenMatrix<double> x(instants, sensors);
  for (Index i = 0; i < x.size(); ++i) {
    const double value = random.uniform() + random.uniform() + random.uniform();
    x.data()[i] = random.uniform() < missing ? kNaN : static_cast<float>(value);
  }
  return x;
}

// Quantised readings, as sensors report them: multiples of a step, most of them equal.
EigenMatrix<double> quantised(Index instants, Index sensors, std::uint64_t seed) {
  EigenMatrix<double> x = readings(instants, sensors, seed, 0.05);
  return ((x.array() - 1.5) / 2).round() * 0.1 + 3.3;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// Direct implementation of the definition: deviation from the others, and the limit that it is
// compared with.
struct Judged {
  double deviation;
  double sigma;
  double limit;
};
Judged by_definition(const PeerDeviationParameters& p, const std::vector<double>& all,
                     std::size_t which) {
  if (p.robust) {
    const double centre = median_of(all);
    std::vector<double> distances;
    for (const double value : all) distances.push_back(std::abs(value - centre));
    const double sigma = 1.4826 * median_of(distances);
    return {all[which] - centre, sigma, p.bound.value_or(std::max(p.n_sigma * sigma, p.floor))};
  }
  std::vector<double> others = all;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(which));
  const double mean = mean_of(others);
  double squares = 0;
  for (const double value : others) squares += (value - mean) * (value - mean);
  const double sigma = std::sqrt(squares / static_cast<double>(others.size() - 1));
  return {all[which] - mean, sigma, p.bound.value_or(std::max(p.n_sigma * sigma, p.floor))};
}

}  // namespace

TEST_CASE("PeerDeviation: agrees with its definition") {
  const auto sensors = GENERATE(3, 4, 9, 50, 64, 157);
  const auto parameters = GENERATE(
      PeerDeviationParameters{.n_sigma = 2}, PeerDeviationParameters{.n_sigma = 1.5, .floor = 0.9},
      PeerDeviationParameters{.bound = 0.8},
      PeerDeviationParameters{.n_sigma = 2, .side = Side::low},
      PeerDeviationParameters{.n_sigma = 2, .side = Side::high},
      PeerDeviationParameters{.n_sigma = 2, .robust = true},
      PeerDeviationParameters{.bound = 0.7, .side = Side::low, .robust = true});
  const auto seed = static_cast<std::uint64_t>(sensors);
  const bool few_values = parameters.robust && GENERATE(false, true);
  CAPTURE(sensors, parameters.robust, few_values);
  const auto x = few_values ? quantised(200, sensors, seed) : readings(200, sensors, seed, 0.05);
  const auto verdicts = PeerDeviation(parameters).judge(MatrixView<double>(x));

  std::vector<PeerVerdict> expected(static_cast<std::size_t>(sensors));
  for (Index t = 0; t < x.rows(); ++t) {
    std::vector<double> present;
    std::vector<std::size_t> who;
    for (Index s = 0; s < sensors; ++s)
      if (!std::isnan(x(t, s))) {
        present.push_back(x(t, s));
        who.push_back(static_cast<std::size_t>(s));
      }
    if (present.size() < 3) continue;
    for (std::size_t i = 0; i < present.size(); ++i) {
      const auto [deviation, sigma, limit] = by_definition(parameters, present, i);
      const double signed_deviation = parameters.side == Side::both  ? std::abs(deviation)
                                      : parameters.side == Side::low ? -deviation
                                                                     : deviation;
      PeerVerdict& verdict = expected[who[i]];
      ++verdict.n_judged;
      if (signed_deviation <= limit) continue;
      if (verdict.first < 0) verdict.first = t;
      verdict.last = t;
      ++verdict.n_beyond;
    }
  }
  for (std::size_t s = 0; s < expected.size(); ++s) {
    REQUIRE(verdicts[s].n_judged == expected[s].n_judged);
    REQUIRE(verdicts[s].n_beyond == expected[s].n_beyond);
    REQUIRE(verdicts[s].first == expected[s].first);
    REQUIRE(verdicts[s].last == expected[s].last);
    REQUIRE((verdicts[s].worst_ratio > 1) == (expected[s].n_beyond > 0));
    if (verdicts[s].worst < 0) continue;
    std::vector<double> present;
    std::size_t position = 0;
    for (Index other = 0; other < sensors; ++other) {
      if (other == static_cast<Index>(s)) position = present.size();
      if (!std::isnan(x(verdicts[s].worst, other))) present.push_back(x(verdicts[s].worst, other));
    }
    const auto [deviation, sigma, limit] = by_definition(parameters, present, position);
    REQUIRE(verdicts[s].worst_deviation == Approx(deviation).margin(1e-12));
    REQUIRE(verdicts[s].worst_sigma == Approx(deviation / sigma).epsilon(1e-9));
  }
}

TEST_CASE("PeerDeviation: a stream and any number of threads give the same verdicts") {
  const auto robust = GENERATE(false, true);
  const auto sensors = GENERATE(17, 157);
  const auto x = readings(3000, sensors, 3, 0.001);
  std::vector<std::uint8_t> active(3000);
  for (std::size_t i = 0; i < active.size(); ++i) active[i] = i % 3 != 0;
  const PeerDeviationParameters parameters{.n_sigma = 2, .robust = robust, .n_jobs = 1};
  const PeerDeviation detector(parameters);
  const auto verdicts = detector.judge(MatrixView<double>(x), active);
  auto threaded = parameters;
  threaded.n_jobs = 3;
  REQUIRE(PeerDeviation(threaded).judge(MatrixView<double>(x), active) == verdicts);

  const auto n_sensors = static_cast<std::size_t>(sensors);
  PeerDeviationStream stream(detector, n_sensors);
  const auto bands = detector.bands(MatrixView<double>(x));
  for (Index t = 0; t < x.rows(); ++t) {
    const auto band =
        stream.push({x.row(t).data(), n_sensors}, active[static_cast<std::size_t>(t)] != 0);
    REQUIRE(band.centre == bands[static_cast<std::size_t>(t)].centre);
    REQUIRE(band.half_width == bands[static_cast<std::size_t>(t)].half_width);
  }
  REQUIRE(stream.verdicts() == verdicts);
}

TEST_CASE("PeerDeviation: float32 and float64 agree on equal values") {
  const auto sensors = GENERATE(33, 64, 157);  // part of a group, one group, several and a part
  const auto x = readings(500, sensors, 4, 0.03);
  const EigenMatrix<float> narrow = x.cast<float>();
  const PeerDeviation detector({.n_sigma = 2});
  REQUIRE(detector.judge(MatrixView<float>(narrow)) == detector.judge(MatrixView<double>(x)));
}

TEST_CASE("PeerDeviation: equal sensors do not deviate, and one that differs does") {
  EigenMatrix<double> x = EigenMatrix<double>::Constant(10, 5, 3.3);
  for (const auto& verdict : PeerDeviation().judge(MatrixView<double>(x))) {
    REQUIRE(verdict.n_judged == 10);
    REQUIRE(verdict.n_beyond == 0);
  }
  x(4, 2) = 3.2;
  const auto verdicts = PeerDeviation().judge(MatrixView<double>(x));
  REQUIRE(verdicts[2].n_beyond == 1);
  REQUIRE(verdicts[2].worst == 4);
  REQUIRE(verdicts[2].worst_deviation == Approx(-0.1));
}

TEST_CASE(
    "PeerDeviation: with robust, an outlier among equal readings deviates, in batch and stream") {
  const auto side = GENERATE(Side::both, Side::low, Side::high);
  const double outlier = GENERATE(3250.0, 3299.9, 3350.0);
  CAPTURE(outlier);
  EigenMatrix<double> x = EigenMatrix<double>::Constant(5, 10, 3300);
  x.col(3).setConstant(outlier);
  const bool expected = side == Side::both || (side == Side::low) == (outlier < 3300);
  const PeerDeviation detector({.side = side, .robust = true});
  const auto verdicts = detector.judge(MatrixView<double>(x));
  PeerDeviationStream stream(detector, 10);
  for (Index t = 0; t < 5; ++t) {
    const auto band = stream.push(MatrixView<double>(x).row(t));
    REQUIRE(band.half_width == 0);
    REQUIRE(std::vector(stream.deviating().begin(), stream.deviating().end()) ==
            (expected ? std::vector<std::size_t>{3} : std::vector<std::size_t>{}));
  }
  REQUIRE(stream.verdicts() == verdicts);
  for (std::size_t s = 0; s < verdicts.size(); ++s) {
    REQUIRE(verdicts[s].n_judged == 5);
    REQUIRE(verdicts[s].n_beyond == (s == 3 && expected ? 5 : 0));
    REQUIRE_FALSE(std::isnan(verdicts[s].worst_ratio));
  }
  if (expected) REQUIRE(std::isinf(verdicts[3].worst_ratio));
}

TEST_CASE("PeerDeviation: a stream's deviating sensors are those outside the band") {
  const auto parameters =
      GENERATE(PeerDeviationParameters{.n_sigma = 1.5}, PeerDeviationParameters{.bound = 0.1},
               PeerDeviationParameters{.n_sigma = 1, .robust = true});
  const auto x = GENERATE_COPY(readings(100, 9, 8, 0.05), quantised(100, 9, 9));
  PeerDeviationStream stream{PeerDeviation(parameters), 9};
  for (Index t = 0; t < x.rows(); ++t) {
    const auto band = stream.push(MatrixView<double>(x).row(t), t % 10 != 0);
    std::vector<std::size_t> outside;
    for (Index s = 0; s < 9 && t % 10 != 0; ++s)
      if (std::abs(x(t, s) - band.centre) > band.half_width)
        outside.push_back(static_cast<std::size_t>(s));
    REQUIRE(std::vector(stream.deviating().begin(), stream.deviating().end()) == outside);
  }
}

TEST_CASE("PeerDeviation: a dead sensor is never judged and does not disturb the others") {
  auto x = readings(300, 12, 5);
  const auto alive =
      PeerDeviation({.n_sigma = 2}).judge(MatrixView<double>(EigenMatrix<double>(x.rightCols(11))));
  x.col(0).setConstant(kNaN);
  const auto verdicts = PeerDeviation({.n_sigma = 2}).judge(MatrixView<double>(x));
  REQUIRE(verdicts[0].n_judged == 0);
  REQUIRE(verdicts[0].n_beyond == 0);
  for (std::size_t i = 0; i < alive.size(); ++i) {
    REQUIRE(verdicts[i + 1].n_beyond == alive[i].n_beyond);
    REQUIRE(verdicts[i + 1].first == alive[i].first);
  }
}

TEST_CASE("PeerDeviation: errors describe the invalid input") {
  auto x = readings(10, 4, 6);
  const PeerDeviation detector;
  x(7, 2) = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(detector.judge(MatrixView<double>(x)),
                      "PeerDeviation: expected finite readings or NaN, got infinity at instant 7, "
                      "sensor 2");
  REQUIRE_THROWS_WITH(detector.judge(MatrixView<double>(EigenMatrix<double>(0, 4))),
                      "PeerDeviation::judge: expected at least 1 instant, got 0");
  REQUIRE_THROWS_WITH(detector.judge(MatrixView<double>(EigenMatrix<double>(x.leftCols(2)))),
                      "PeerDeviation::judge: expected at least 3 sensors to compare, got 2");
  REQUIRE_THROWS_AS(detector.judge(MatrixView<double>(x), std::vector<std::uint8_t>(9)),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(PeerDeviation({.n_sigma = -1}),
                      "PeerDeviation: n_sigma must be above 0, got -1");
  REQUIRE_THROWS_WITH(PeerDeviation({.bound = 0}), "PeerDeviation: bound must be above 0, got 0");
  PeerDeviationStream stream(detector, 4);
  const std::vector<double> short_row(3);
  REQUIRE_THROWS_WITH(stream.push(short_row),
                      "PeerDeviationStream::push: expected 4 readings, got 3");
  REQUIRE(stream.n_samples() == 0);
}

TEST_CASE("plant_states: classifies by the sign of the current beyond a threshold") {
  const std::vector<double> current{-201, -200, 0, 200, 201, kNaN};
  const auto states = secondlook::plant_states(current, 200);
  REQUIRE(states == std::vector{PlantState::charging, PlantState::idle, PlantState::idle,
                                PlantState::idle, PlantState::discharging, PlantState::idle});
}
