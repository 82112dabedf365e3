#include "secondlook/decide/event_metrics.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Times may be nearly 2⁶⁴ ns apart, which no signed number holds.
std::uint64_t distance_ns(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

double ratio(double part, double whole) { return whole == 0 ? kNaN : part / whole; }

double f1(double precision, double recall, std::int64_t n_true) {
  if (n_true == 0) return 0;
  return 2 * precision * recall / (precision + recall);
}

double mean(const std::vector<double>& values) {
  return ratio(std::accumulate(values.begin(), values.end(), 0.0),
               static_cast<double>(values.size()));
}

double median(std::vector<double> values) {
  if (values.empty()) return kNaN;
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return std::midpoint(values[(n - 1) / 2], values[n / 2]);
}

// Compares the windows with the alarms: sets the metrics that are counted by window and returns
// which instants lie in a window.
std::vector<std::uint8_t> judge_windows(std::span<const std::int64_t> time_ns,
                                        std::span<const std::uint8_t> alarms,
                                        std::span<const TimeWindow> windows, EventMetrics& m) {
  const std::size_t n = time_ns.size();
  std::vector<std::size_t> next_alarm(n + 1, n);
  for (std::size_t i = n; i-- > 0;) next_alarm[i] = alarms[i] != 0 ? i : next_alarm[i + 1];

  std::vector<std::int64_t> entered(n + 1, 0);  // windows entered minus windows left, by instant
  std::vector<double> delays_s;
  for (const TimeWindow& window : windows) {
    const auto begin = std::ranges::lower_bound(time_ns, window.start_ns) - time_ns.begin();
    const auto end = std::ranges::upper_bound(time_ns, window.end_ns) - time_ns.begin();
    const auto first = static_cast<std::size_t>(begin);
    const auto past = static_cast<std::size_t>(end);
    ++entered[first];
    --entered[past];
    const std::size_t alarm = next_alarm[first];
    if (alarm < past) delays_s.push_back(seconds(distance_ns(window.start_ns, time_ns[alarm])));
  }
  m.n_windows = static_cast<std::int64_t>(windows.size());
  m.n_windows_hit = static_cast<std::int64_t>(delays_s.size());
  m.mean_delay_s = mean(delays_s);
  m.median_delay_s = median(delays_s);

  std::vector<std::uint8_t> inside(n);
  std::int64_t depth = 0;
  for (std::size_t i = 0; i < n; ++i) {
    depth += entered[i];
    inside[i] = static_cast<std::uint8_t>(depth > 0);
  }
  return inside;
}

void judge_events(std::span<const std::int64_t> time_ns, std::span<const std::uint8_t> alarms,
                  const std::vector<std::uint8_t>& inside, std::int64_t merge_gap_ns,
                  EventMetrics& m) {
  const std::size_t n = time_ns.size();
  std::size_t last_alarm = n;  // none yet
  bool known_true = false;
  for (std::size_t i = 0; i < n; ++i) {
    if (alarms[i] == 0) continue;
    const bool continues =
        last_alarm < n && (last_alarm + 1 == i || distance_ns(time_ns[last_alarm], time_ns[i]) <=
                                                      static_cast<std::uint64_t>(merge_gap_ns));
    if (!continues) {
      ++m.n_events;
      known_true = false;
    }
    if (inside[i] != 0 && !known_true) {
      ++m.n_true_events;
      known_true = true;
    }
    last_alarm = i;
  }
}

void judge_instants(std::span<const std::uint8_t> alarms, const std::vector<std::uint8_t>& inside,
                    EventMetrics& m) {
  double counts[2][2] = {};  // by whether in a window, and whether an alarm
  for (std::size_t i = 0; i < alarms.size(); ++i) ++counts[inside[i]][alarms[i] != 0 ? 1 : 0];
  m.precision = ratio(counts[1][1], counts[0][1] + counts[1][1]);
  m.recall = ratio(counts[1][1], counts[1][0] + counts[1][1]);
  m.false_alarm_rate = ratio(counts[0][1], counts[0][0] + counts[0][1]);
}

}  // namespace

EventMetrics event_metrics(std::span<const std::int64_t> time_ns,
                           std::span<const std::uint8_t> alarms,
                           std::span<const TimeWindow> windows, std::int64_t merge_gap_ns) {
  require(!time_ns.empty(), "event_metrics: expected at least 1 instant, got 0");
  require(alarms.size() == time_ns.size(),
          "event_metrics: expected one alarm value per instant ({}), got {}", time_ns.size(),
          alarms.size());
  for (std::size_t i = 1; i < time_ns.size(); ++i)
    require(time_ns[i - 1] < time_ns[i],
            "event_metrics: expected strictly increasing times, got {} ns after {} ns at index {}",
            time_ns[i], time_ns[i - 1], i);
  for (std::size_t i = 0; i < windows.size(); ++i)
    require(windows[i].start_ns <= windows[i].end_ns,
            "event_metrics: expected windows that end no earlier than they start, got one from {} "
            "ns to {} ns at index {}",
            windows[i].start_ns, windows[i].end_ns, i);
  require(merge_gap_ns >= 0, "event_metrics: merge_gap must be at least 0, got {} ns",
          merge_gap_ns);

  EventMetrics m;
  const auto inside = judge_windows(time_ns, alarms, windows, m);
  judge_events(time_ns, alarms, inside, merge_gap_ns, m);
  judge_instants(alarms, inside, m);

  m.event_precision = ratio(static_cast<double>(m.n_true_events), static_cast<double>(m.n_events));
  m.event_recall = ratio(static_cast<double>(m.n_windows_hit), static_cast<double>(m.n_windows));
  m.event_f1 = m.n_windows == 0 ? kNaN : f1(m.event_precision, m.event_recall, m.n_true_events);
  const double days = seconds(distance_ns(time_ns.front(), time_ns.back())) / 86400;
  m.events_per_day = ratio(static_cast<double>(m.n_events), days);
  m.false_events_per_day = ratio(static_cast<double>(m.n_events - m.n_true_events), days);
  return m;
}

}  // namespace secondlook
