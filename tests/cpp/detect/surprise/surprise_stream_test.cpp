#include "secondlook/detect/surprise_stream.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "detect/surprise/nearest_window.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::InvalidArgument;
using secondlook::RandomStream;
using secondlook::SurpriseRecord;
using secondlook::SurpriseStream;
using secondlook::SurpriseStreamParameters;
using secondlook::detect::NearestWindow;

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
const SurpriseStreamParameters kSmall{
    .season = 24, .scales = {1, 4, 16}, .memory = 200, .cooldown = 20};

// A daily wave of 24 samples with noise.
double wave(int i, RandomStream& random) {
  return std::sin(2 * M_PI * i / 24) + 0.1 * (random.uniform() - 0.5);
}

// Figures of a record, with NaN replaced by −1.
std::vector<double> figures(const SurpriseRecord& record) {
  std::vector<double> values;
  for_each_field(record, [&](std::string_view, double figure) {
    values.push_back(std::isnan(figure) ? -1 : figure);
  });
  return values;
}
const std::vector<double> kNoFigures{-1, -1, -1, -1, -1, -1, 0};

}  // namespace

TEST_CASE("NearestWindow: equals a comparison with every window") {
  const auto [width, memory] = GENERATE(std::pair(4, 50), std::pair(8, 8), std::pair(16, 203),
                                        std::pair(64, 500), std::pair(5, 31), std::pair(20, 100));
  CAPTURE(width, memory);
  const int stride = std::max(1, width / 8);
  RandomStream random(1);
  NearestWindow window(static_cast<std::size_t>(width), static_cast<std::size_t>(memory));
  std::vector<double> x;
  for (int t = 0; t < 1500; ++t) {
    x.push_back(t % 100 < 50 ? random.uniform() : 0.5);  // repeated parts have distance 0
    window.push(x.back());
    if (t + 1 < width) continue;
    double expected = std::numeric_limits<double>::infinity();
    for (int end = t - width; end >= std::max(width - 1, t - memory); end -= stride) {
      double squares = 0;
      for (int j = 0; j < width; ++j) {
        const double gap =
            x[static_cast<std::size_t>(t - j)] - x[static_cast<std::size_t>(end - j)];
        squares += gap * gap;
      }
      expected = std::min(expected, std::sqrt(squares / width));
    }
    const std::span<const double> last(x.end() - width, x.end());
    REQUIRE(window.distance(last) == Approx(expected).epsilon(1e-12));
    const auto held = window.samples();
    REQUIRE(
        std::ranges::equal(held, std::span(x).last(std::min<std::size_t>(x.size(), held.size()))));
    REQUIRE(held.size() ==
            std::min<std::size_t>(x.size(), static_cast<std::size_t>(memory + width)));
  }
}

TEST_CASE("SurpriseStream: each component detects its kind of anomaly") {
  RandomStream random(2);
  SurpriseStream stream({.season = 24});
  for (int i = 0; i < 24 * 200; ++i) stream.push(wave(i, random));
  SECTION("level") {
    const auto record = stream.push(9);
    CHECK(record.alarm);
    CHECK(record.level > 1);
  }
  SECTION("spread: collapses when a sensor is stuck") {
    double largest = 0;
    bool alarm = false;
    for (int i = 0; i < 48; ++i) {
      const auto record = stream.push(0.2);
      largest = std::max(largest, record.spread);
      alarm = alarm || record.alarm;
    }
    CHECK(largest > 1);
    CHECK(alarm);
  }
  SECTION("seasonal: a value of noon at midnight") {
    const auto record = stream.push(1.0);  // the wave is at 0
    CHECK(record.seasonal > 1);
    CHECK(record.level < 1);
  }
  SECTION("shape: a new course of known values") {
    double largest = 0;
    for (int i = 0; i < 16; ++i)
      largest = std::max(largest, stream.push(i % 2 == 0 ? 0.6 : -0.6).shape);
    CHECK(largest > 1);
  }
}

TEST_CASE("SurpriseStream: has a cooldown after an alarm") {
  RandomStream random(3);
  SurpriseStream stream(kSmall);
  for (int i = 0; i < 3000; ++i) stream.push(wave(i, random));
  int wait = 0;
  while (!stream.push(9).alarm) REQUIRE(++wait < 100);
  for (int i = 0; i < 20; ++i) {
    const auto record = stream.push(i % 2 == 0 ? 9e3 : kMissing);
    REQUIRE_FALSE(record.alarm);
    REQUIRE((i % 2 == 0 ? record.score == 0 : std::isnan(record.score)));
  }
  REQUIRE(stream.push(9e6).alarm);
}

TEST_CASE("SurpriseStream: continues from its state, and copies are independent") {
  RandomStream random(4);
  SurpriseStream one(kSmall);
  for (int i = 0; i < 600; ++i) {
    const double sample = i % 11 == 3 ? kMissing : wave(i, random) + (i % 97 == 0 ? 3 : 0);
    if (i % 23 == 0) {
      SurpriseStream resumed(one.parameters(), one.state());
      SurpriseStream copy = one;
      for (int j = 0; j < 5; ++j)
        REQUIRE(figures(resumed.push(j * sample)) == figures(copy.push(j * sample)));
      REQUIRE(resumed.time() == i + 5);
      REQUIRE(one.time() == i);
      one = SurpriseStream(one.parameters(), one.state());
    }
    one.push(sample);
  }
}

TEST_CASE("SurpriseStream: results do not depend on where a stream was interrupted") {
  RandomStream random(5);
  std::vector<double> samples;
  for (int i = 0; i < 900; ++i) samples.push_back(i % 50 == 7 ? kMissing : wave(i, random));
  for (int i = 600; i < 620; ++i) samples[static_cast<std::size_t>(i)] = 2;
  SurpriseStream whole(kSmall);
  SurpriseStream parts(kSmall);
  const auto expected = whole.push(samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i % 100 == 99) parts = SurpriseStream(parts.parameters(), parts.state());
    REQUIRE(figures(parts.push(samples[i])) == figures(expected[i]));
  }
  REQUIRE(std::ranges::any_of(expected, &SurpriseRecord::alarm));
}

TEST_CASE("SurpriseStream: a missing sample has no surprise, and the next samples have little") {
  RandomStream random(6);
  SurpriseStream stream({.season = 24});
  for (int i = 0; i < 24 * 100; ++i) stream.push(wave(i, random));
  for (int i = 0; i < 24 * 3; ++i) REQUIRE(figures(stream.push(kMissing)) == kNoFigures);
  double largest = 0;
  for (int i = 0; i < 240; ++i) largest = std::max(largest, stream.push(wave(i, random)).surprise);
  CHECK(largest < 1);
  CHECK(stream.time() == 24 * 113);
}

TEST_CASE("SurpriseStream: handles only missing, constant and enormous samples") {
  SurpriseStream stream(kSmall);
  for (int i = 0; i < 500; ++i) REQUIRE(figures(stream.push(kMissing)) == kNoFigures);
  for (int i = 0; i < 500; ++i) REQUIRE(stream.push(-3.5).surprise == 0);
  for (int i = 0; i < 500; ++i) {
    const auto record = stream.push(i % 3 == 0 ? 1e150 : -1e150);
    REQUIRE(std::isfinite(record.surprise));
    REQUIRE(record.score >= 0);
    REQUIRE(record.score < 1);
  }
}

TEST_CASE("SurpriseStream: has the views that the scales allow") {
  SurpriseStream level_only({.scales = {1}, .memory = 1});
  SurpriseStream many({.season = 2, .scales = {1, 2, 3, 5, 8, 13, 21}, .memory = 21, .seasons = 1});
  RandomStream random(7);
  for (int i = 0; i < 500; ++i) {
    const double sample = random.uniform();
    const auto record = level_only.push(sample);
    REQUIRE(record.surprise == record.level);
    const auto r = many.push(sample);
    REQUIRE(r.surprise == Approx((r.level + r.spread + r.seasonal + r.shape) / 4));
  }
}

TEST_CASE("SurpriseStream: errors describe the invalid input") {
  REQUIRE_THROWS_WITH(SurpriseStream({.season = 1}),
                      "SurpriseStream: season must be 0 (none) or at least 2, got 1");
  REQUIRE_THROWS_WITH(SurpriseStream({.scales = {}}),
                      "SurpriseStream: expected 1 to 32 scales, got 0");
  REQUIRE_THROWS_WITH(SurpriseStream({.scales = {4, 4}}),
                      "SurpriseStream: scales must ascend within 1 to 1000000, got 4 to 4");
  REQUIRE_THROWS_WITH(SurpriseStream({.memory = 63}),
                      "SurpriseStream: memory must lie between the longest scale 64 and 100000000, "
                      "got 63");
  REQUIRE_THROWS_AS(SurpriseStream({.season = -5}), InvalidArgument);
  REQUIRE_THROWS_AS(SurpriseStream({.seasons = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(SurpriseStream({.season = 20'000'000}), InvalidArgument);
  REQUIRE_THROWS_AS(SurpriseStream({.threshold = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(SurpriseStream({.threshold = NAN}), InvalidArgument);
  REQUIRE_THROWS_AS(SurpriseStream({.cooldown = -1}), InvalidArgument);
  SurpriseStream stream(kSmall);
  REQUIRE_THROWS_WITH(stream.push(-INFINITY),
                      "SurpriseStream::push: expected a sample of at most 1e150, or NaN, got -inf");
  REQUIRE_THROWS_AS(stream.push(std::vector<double>{1.0, INFINITY}), InvalidArgument);
  REQUIRE(stream.time() == 0);

  for (int i = 0; i < 100; ++i) stream.push(i % 5);
  const auto refuses = [&](auto change) {
    auto state = stream.state();
    change(state);
    REQUIRE_THROWS_AS(SurpriseStream(kSmall, state), InvalidArgument);
  };
  refuses([](auto& s) { s.count = 101; });
  refuses([](auto& s) { s.time = 99; });
  refuses([](auto& s) { s.cooldown_until = 500; });
  refuses([](auto& s) { s.samples.pop_back(); });
  refuses([](auto& s) { s.samples[3] = kMissing; });
  refuses([](auto& s) { s.times[3] = -1; });
  refuses([](auto& s) { s.steady.clear(); });
  refuses([](auto& s) { s.trend.time = 1; });
  refuses([](auto& s) { s.trend.means[0].resize(9); });
  refuses([](auto& s) { s.trend.offset = kMissing; });
  refuses([](auto& s) { s.trend.waiting.pop_back(); });
  refuses([](auto& s) { s.window[3] = INFINITY; });
  refuses([](auto& s) { s.memory[3] = kMissing; });
  refuses([](auto& s) { s.start = 1; });
  refuses([](auto& s) { s.outside.clear(); });
  refuses([](auto& s) { s.recent.clear(); });
  refuses([](auto& s) { s.lows[0] = kMissing; });
  refuses([](auto& s) { s.highs[0] = INFINITY; });
  refuses([](auto& s) { s.tails.pop_back(); });
  refuses([](auto& s) { s.tails[0].count = -1; });
}
