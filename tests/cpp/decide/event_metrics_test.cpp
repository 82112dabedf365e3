#include "secondlook/decide/event_metrics.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::event_metrics;
using secondlook::EventMetrics;
using secondlook::RandomStream;
using secondlook::TimeWindow;

namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;

std::vector<std::int64_t> hours(std::size_t n) {
  std::vector<std::int64_t> times(n);
  for (std::size_t i = 0; i < n; ++i) times[i] = static_cast<std::int64_t>(i) * kHour;
  return times;
}

std::vector<std::uint8_t> alarms_at(std::size_t n, const std::vector<std::size_t>& places) {
  std::vector<std::uint8_t> alarms(n);
  for (const std::size_t place : places) alarms[place] = 1;
  return alarms;
}

}  // namespace

TEST_CASE("EventMetrics: a series of two days by hand") {
  const auto times = hours(49);
  const auto alarms = alarms_at(49, {2, 3, 10, 12, 13, 40});
  const std::vector<TimeWindow> windows{
      {30 * kHour, 32 * kHour}, {11 * kHour, 14 * kHour}, {39 * kHour, 41 * kHour}};
  const EventMetrics m = event_metrics(times, alarms, windows);
  CHECK(m.n_events == 4);
  CHECK(m.n_true_events == 2);
  CHECK(m.n_windows == 3);
  CHECK(m.n_windows_hit == 2);
  CHECK(m.event_precision == 0.5);
  CHECK(m.event_recall == Approx(2.0 / 3));
  CHECK(m.event_f1 == Approx(4.0 / 7));
  CHECK(m.mean_delay_s == 3600);
  CHECK(m.median_delay_s == 3600);
  CHECK(m.events_per_day == 2);
  CHECK(m.false_events_per_day == 1);
  CHECK(m.precision == 0.5);
  CHECK(m.recall == 0.3);
  CHECK(m.false_alarm_rate == Approx(3.0 / 39));

  const EventMetrics merged = event_metrics(times, alarms, windows, 2 * kHour);
  CHECK(merged.n_events == 3);  // 10 is joined with 12 and part of a true event
  CHECK(merged.n_true_events == 2);
  CHECK(merged.n_windows_hit == 2);
}

TEST_CASE("EventMetrics: agrees with a comparison of every pair") {
  RandomStream random(1);
  for (int repetition = 0; repetition < 300; ++repetition) {
    const std::size_t n = 1 + random.below(60);
    std::vector<std::int64_t> times(n);
    std::int64_t time = -100;
    for (auto& t : times) t = time += 1 + static_cast<std::int64_t>(random.below(5));
    std::vector<std::uint8_t> alarms(n);
    for (auto& alarm : alarms) alarm = random.uniform() < 0.3 ? 1 : 0;
    std::vector<TimeWindow> windows(random.below(5));
    for (auto& window : windows) {
      window.start_ns = static_cast<std::int64_t>(random.below(250)) - 120;
      window.end_ns = window.start_ns + static_cast<std::int64_t>(random.below(30));
    }
    const auto inside = [&](std::size_t i) {
      for (const auto& w : windows)
        if (w.start_ns <= times[i] && times[i] <= w.end_ns) return true;
      return false;
    };
    std::int64_t events = 0;
    std::int64_t true_events = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (alarms[i] == 0 || (i > 0 && alarms[i - 1] != 0)) continue;
      ++events;
      bool is_true = false;
      for (std::size_t j = i; j < n && alarms[j] != 0; ++j) is_true |= inside(j);
      true_events += is_true ? 1 : 0;
    }
    std::int64_t hit = 0;
    double delay = 0;
    for (const auto& w : windows)
      for (std::size_t i = 0; i < n; ++i)
        if (alarms[i] != 0 && w.start_ns <= times[i] && times[i] <= w.end_ns) {
          ++hit;
          delay += static_cast<double>(times[i] - w.start_ns) / 1e9;
          break;
        }
    const EventMetrics m = event_metrics(times, alarms, windows);
    REQUIRE(m.n_events == events);
    REQUIRE(m.n_true_events == true_events);
    REQUIRE(m.n_windows_hit == hit);
    if (hit > 0) REQUIRE(m.mean_delay_s == Approx(delay / static_cast<double>(hit)));
  }
}

TEST_CASE("EventMetrics: NaN where there is nothing to divide by") {
  const auto times = hours(3);
  const EventMetrics silent = event_metrics(times, alarms_at(3, {}), {});
  CHECK(std::isnan(silent.event_precision));
  CHECK(std::isnan(silent.event_recall));
  CHECK(std::isnan(silent.event_f1));
  CHECK(std::isnan(silent.mean_delay_s));
  CHECK(std::isnan(silent.median_delay_s));
  CHECK(silent.events_per_day == 0);
  CHECK(silent.false_alarm_rate == 0);
  const std::vector<TimeWindow> window{{0, kHour}};
  CHECK(event_metrics(times, alarms_at(3, {}), window).event_f1 == 0);
  CHECK(std::isnan(event_metrics(hours(1), alarms_at(1, {}), window).events_per_day));
}

TEST_CASE("EventMetrics: times as far apart as they can be") {
  const std::vector<std::int64_t> times{std::numeric_limits<std::int64_t>::min(),
                                        std::numeric_limits<std::int64_t>::max()};
  const std::vector<TimeWindow> window{{times[0], times[1]}};
  const EventMetrics m = event_metrics(times, alarms_at(2, {1}), window);
  CHECK(m.mean_delay_s == Approx(std::ldexp(1, 64) / 1e9));
}

TEST_CASE("EventMetrics: reports invalid arguments") {
  const auto times = hours(3);
  const auto none = alarms_at(3, {});
  REQUIRE_THROWS_WITH(event_metrics({}, {}, {}),
                      "event_metrics: expected at least 1 instant, got 0");
  REQUIRE_THROWS_WITH(event_metrics(times, alarms_at(2, {}), {}),
                      "event_metrics: expected one alarm value per instant (3), got 2");
  REQUIRE_THROWS_AS(event_metrics(std::vector<std::int64_t>{0, 2, 2}, none, {}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(event_metrics(times, none, std::vector<TimeWindow>{{2, 1}}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(event_metrics(times, none, {}, -1),
                      "event_metrics: merge_gap must be at least 0, got -1 ns");
}
