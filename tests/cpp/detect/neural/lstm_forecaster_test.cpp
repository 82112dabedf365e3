#include "secondlook/detect/lstm_forecaster.hpp"

#include <algorithm>
#include <catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>

#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/eigen.hpp"

using secondlook::EigenMatrix;
using secondlook::Index;
using secondlook::LstmForecaster;
using secondlook::LstmForecasterParameters;
using secondlook::ModelFile;

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Two channels: a wave of 24 steps and its square, with a little noise.
EigenMatrix<double> make_series(Index n, std::uint64_t seed) {
  secondlook::RandomStream random(seed);
  const double phase = 24 * random.uniform();
  EigenMatrix<double> x(n, 2);
  for (Index t = 0; t < n; ++t) {
    const double wave = std::sin(2 * std::numbers::pi * (static_cast<double>(t) + phase) / 24);
    x(t, 0) = 10 + 5 * wave + 0.1 * (random.uniform() - 0.5);
    x(t, 1) = wave * wave + 0.02 * (random.uniform() - 0.5);
  }
  return x;
}

LstmForecasterParameters small() {
  LstmForecasterParameters p;
  p.window = 24;
  p.hidden = 12;
  p.max_epochs = 25;
  p.learning_rate = 1e-2;
  p.batch_size = 8;
  p.seed = 1;
  p.n_jobs = 1;
  return p;
}

std::vector<double> scores_of(const LstmForecaster& model, const EigenMatrix<double>& x) {
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  model.score_samples(x, scores);
  return scores;
}

// Compares elementwise; NaN equals NaN.
bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(
      a, b, [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

const LstmForecaster& fitted() {
  static const LstmForecaster model = [] {
    LstmForecaster trained(small());
    trained.fit(make_series(1500, 1));
    return trained;
  }();
  return model;
}

}  // namespace

TEST_CASE("LstmForecaster: a broken rhythm scores lower than all earlier samples") {
  auto x = make_series(400, 2);
  x(300, 0) += 5;
  const auto scores = scores_of(fitted(), x);
  CHECK(std::ranges::all_of(scores.begin(), scores.begin() + 24,
                            [](double score) { return std::isnan(score); }));
  CHECK(std::min_element(scores.begin() + 24, scores.end()) - scores.begin() == 300);
  const double usual = std::accumulate(scores.begin() + 24, scores.begin() + 300, 0.0) / 276;
  CHECK(usual < -0.3);
  CHECK(usual > -3);
}

TEST_CASE(
    "LstmForecaster: a stream gives the scores of the batch, also when resumed from a snapshot") {
  auto x = make_series(200, 3);
  for (Index t = 60; t < 66; ++t) x(t, 0) = kMissing;
  x.row(90).setConstant(kMissing);
  const auto scores = scores_of(fitted(), x);
  std::vector<double> parts(400), pushed, copied;
  fitted().feature_contributions(x, parts);
  auto stream = fitted().stream();
  std::optional<secondlook::LstmStream> copy;
  for (Index t = 0; t < 200; ++t) {
    if (t == 100) {
      copy = fitted().stream();
      copy->restore(stream.snapshot());
    }
    pushed.push_back(stream.push(std::span<const double>(x.row(t).data(), 2)));
    const auto at = static_cast<std::size_t>(t);
    CHECK(stream.contributions()[0] == parts[2 * at]);
    if (!std::isnan(scores[at])) CHECK(parts[2 * at] + parts[2 * at + 1] == Approx(-scores[at]));
  }
  CHECK(same(pushed, scores));
  for (Index t = 100; t < 200; ++t)
    copied.push_back(copy->push(std::span<const double>(x.row(t).data(), 2)));
  CHECK(same(copied, {scores.begin() + 100, scores.end()}));
}

TEST_CASE("LstmForecaster: short gaps are bridged and long ones restart the state") {
  auto x = make_series(300, 4);
  for (Index t = 100; t < 108; ++t) x.row(t).setConstant(kMissing);
  for (Index t = 200; t < 230; ++t) x.row(t).setConstant(kMissing);
  const auto scores = scores_of(fitted(), x);
  for (std::size_t t = 24; t < 300; ++t) {
    const bool missing = (t >= 100 && t < 108) || (t >= 200 && t < 230);
    const bool warms_up = t >= 230 && t < 230 + 24;
    CAPTURE(t);
    CHECK(std::isnan(scores[t]) == (missing || warms_up));
  }
  // The rhythm continues in the model's own forecasts, so the samples after the gap are forecast.
  CHECK(scores[108] > -100);
}

TEST_CASE("LstmForecaster: residuals are the samples minus the stream's forecasts") {
  auto x = make_series(300, 8);
  x(50, 0) = 1e4;  // not clipped in its residual, clipped as an input
  for (Index t = 60; t < 66; ++t) x(t, 0) = kMissing;
  x.row(90).setConstant(kMissing);
  for (Index t = 200; t < 230; ++t) x.row(t).setConstant(kMissing);
  std::vector<double> residuals(600), expected, forecast(2);
  fitted().residuals(x, residuals);
  auto stream = fitted().stream();
  for (Index t = 0; t < 300; ++t) {
    stream.forecast(forecast);
    const double score = stream.push(std::span<const double>(x.row(t).data(), 2));
    for (Index j = 0; j < 2; ++j)
      expected.push_back(std::isnan(score) ? kMissing
                                           : x(t, j) - forecast[static_cast<std::size_t>(j)]);
  }
  CHECK(same(residuals, expected));
  CHECK(residuals[2 * 50] == Approx(1e4).epsilon(0.01));
  CHECK(std::isnan(residuals[2 * 62]));
  CHECK(std::isfinite(residuals[2 * 62 + 1]));

  fitted().forecast(x.topRows(150).eval(), forecast);
  CHECK(residuals[2 * 150] == x(150, 0) - forecast[0]);
  CHECK(residuals[2 * 150 + 1] == x(150, 1) - forecast[1]);
}

TEST_CASE("LstmForecaster: residuals of floats equal those of the same values as doubles") {
  const EigenMatrix<float> x = make_series(100, 9).cast<float>();
  std::vector<double> of_floats(200), of_doubles(200);
  fitted().residuals(x, of_floats);
  fitted().residuals(x.cast<double>().eval(), of_doubles);
  // Only the scaling of the inputs may round differently.
  for (std::size_t i = 0; i < 200; ++i) {
    CAPTURE(i);
    CHECK(std::isnan(of_floats[i]) == (i < 2 * 24));
    if (i >= 2 * 24) CHECK(of_floats[i] == Approx(of_doubles[i]).margin(1e-4));
  }
}

TEST_CASE("LstmForecaster: forecasts a wave") {
  const auto x = make_series(340, 5);
  const EigenMatrix<double> past = x.topRows(300);
  std::vector<double> ahead(2 * 40);
  fitted().forecast(past, ahead);
  double squares = 0;
  for (Index t = 0; t < 24; ++t) {
    const double error = ahead[static_cast<std::size_t>(2 * t)] - x(300 + t, 0);
    squares += error * error;
  }
  CHECK(std::sqrt(squares / 24) <
        0.4 * 5 / std::sqrt(2.0));  // relative to the standard deviation of the wave
}

TEST_CASE("LstmForecaster: the same seed gives identical scores, and a file the same model") {
  const auto x = make_series(600, 1);
  LstmForecaster a(small());
  a.fit(x);
  LstmForecaster b(small());
  b.fit(x);
  CHECK(same(scores_of(a, x), scores_of(b, x)));
  a.partial_fit(x);
  CHECK(a.offset_is_stale());
  auto copy = LstmForecaster::from_file(
      ModelFile::parse(std::as_bytes(std::span<const char>(a.to_file().serialize()))));
  CHECK(same(scores_of(a, x), scores_of(copy, x)));
  CHECK(copy.history() == a.history());
  a.partial_fit(x);
  copy.partial_fit(x);
  CHECK(same(scores_of(a, x), scores_of(copy, x)));
}

TEST_CASE("LstmForecaster: trains two layers on many short series with two threads") {
  auto p = small();
  p.layers = 2;
  p.dropout = 0.1;
  p.n_jobs = 2;
  std::vector<EigenMatrix<double>> store;
  for (std::uint64_t i = 0; i < 60; ++i) store.push_back(make_series(25 + i % 30, i));
  const std::vector<secondlook::SampleView> series(store.begin(), store.end());
  LstmForecaster model(p);
  model.fit(series);
  CHECK(model.history().back().validation_loss < 0.7 * model.history().front().validation_loss);
}

TEST_CASE("LstmForecaster: trains on a constant channel and one with gaps") {
  auto x = make_series(500, 6);
  x.col(1).setConstant(7);
  for (Index t = 0; t < 500; t += 7) x(t, 0) = kMissing;
  LstmForecaster model(small());
  model.fit(x);
  const auto scores = scores_of(model, x);
  CHECK(std::ranges::none_of(scores, [](double score) { return std::isinf(score); }));
  CHECK(std::isfinite(scores[100]));
  auto odd = x;
  odd(300, 1) = 8;  // the constant channel changes
  CHECK(scores_of(model, odd)[300] < -100);
}

TEST_CASE("LstmForecaster: constant samples contain no anomaly") {
  const int n = GENERATE(30, 100, 700);
  EigenMatrix<double> x(n, 2);
  x.col(0).setConstant(21.5);
  x.col(1).setConstant(0.1);
  x(n / 2, 1) = kMissing;
  LstmForecaster model(small());
  model.fit(x);
  for (const double score : scores_of(model, x)) CHECK_FALSE(score < model.offset());
}

TEST_CASE("LstmForecaster: bad input is rejected and the model unchanged") {
  using Catch::Matchers::Contains;
  const auto x = make_series(400, 7);
  LstmForecaster model(small());
  std::vector<double> scores(400);
  CHECK_THROWS_AS(model.score_samples(x, scores), secondlook::NotFitted);
  CHECK_THROWS_AS(model.stream(), secondlook::NotFitted);
  std::vector<double> residuals(800);
  CHECK_THROWS_AS(model.residuals(x, residuals), secondlook::NotFitted);
  model = fitted();
  const auto before = scores_of(model, x);

  CHECK_THROWS_WITH(model.fit(x.topRows(12).eval()),
                    "LstmForecaster::fit: expected at least 25 steps (window 24 + 1), got 12");
  auto bad = x;
  bad.col(1).setConstant(kMissing);
  CHECK_THROWS_WITH(model.fit(bad), Contains("expected at least one value in channel 1"));
  bad = x;
  bad(3, 0) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(model.fit(bad), secondlook::InvalidArgument);
  CHECK_THROWS_AS(model.partial_fit(bad), secondlook::InvalidArgument);
  CHECK_THROWS_WITH(model.partial_fit(x.leftCols(1).eval()),
                    Contains("expected 2 channels, got 1"));
  CHECK_THROWS_WITH(model.fit_offset(x.topRows(10).eval()), Contains("warm-up"));
  CHECK_THROWS_AS(model.fit(std::span<const secondlook::SampleView>()),
                  secondlook::InvalidArgument);
  const EigenMatrix<float> narrow = x.cast<float>();
  const std::vector<secondlook::SampleView> mixed{x, narrow};
  CHECK_THROWS_WITH(model.fit(mixed),
                    Contains("expected series of one type, got 1 in float32 and 1 in float64"));
  CHECK_THROWS_WITH(model.residuals(x, scores),
                    "LstmForecaster::residuals: expected an output of 800 values, got 400");
  CHECK_THROWS_WITH(model.residuals(x.leftCols(1).eval(), scores),
                    Contains("LstmForecaster::residuals: expected 2 features, got 1"));
  CHECK_THROWS_AS(model.residuals(bad, residuals), secondlook::InvalidArgument);
  CHECK(same(scores_of(model, x), before));

  auto stream = model.stream();
  const double one[] = {1};
  CHECK_THROWS_WITH(stream.push(std::span<const double>(one)),
                    Contains("expected 2 channels, got 1"));
  const double infinite[] = {1, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_WITH(stream.push(std::span<const double>(infinite)), Contains("channel 1"));
  CHECK(stream.n_samples() == 0);
  CHECK_THROWS_WITH(stream.restore(std::vector<double>(3)), Contains("expected 51 values, got 3"));
  auto snapshot = stream.snapshot();
  snapshot.back() = kMissing;
  CHECK_THROWS_AS(stream.restore(snapshot), secondlook::InvalidArgument);

  for (const auto& change : std::vector<std::function<void(LstmForecasterParameters&)>>{
           [](auto& q) { q.window = 1; }, [](auto& q) { q.hidden = 0; },
           [](auto& q) { q.layers = 0; }, [](auto& q) { q.dropout = 1; },
           [](auto& q) { q.learning_rate = 0; }, [](auto& q) { q.batch_size = 0; },
           [](auto& q) { q.batch_size = ~std::size_t{0}; }, [](auto& q) { q.max_epochs = 0; },
           [](auto& q) { q.patience = 0; }, [](auto& q) { q.validation_fraction = 1; },
           [](auto& q) { q.contamination = 0; }}) {
    auto q = small();
    change(q);
    CHECK_THROWS_AS(LstmForecaster(q), secondlook::InvalidArgument);
  }
}

TEST_CASE("LstmForecaster: keeps the best epoch when cancelled") {
  auto p = small();
  p.max_epochs = 1000000;
  p.patience = 1000000;
  LstmForecaster model(p);
  int n_calls = 0;
  CHECK_THROWS_AS(
      model.fit(make_series(3000, 1), [&](std::size_t, std::size_t) { return ++n_calls < 8; }),
      secondlook::Cancelled);
  CHECK(model.fitted());
}
