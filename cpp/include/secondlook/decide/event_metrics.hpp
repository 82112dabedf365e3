#pragma once

#include <cstdint>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// From `start_ns` to `end_ns`, both included, in nanoseconds since 1970.
struct TimeWindow {
  std::int64_t start_ns;
  std::int64_t end_ns;

  bool operator==(const TimeWindow&) const = default;
};

/// How well the alarms over a series agree with the windows in which something was wrong.
///
/// An event is a run of alarms: consecutive instants, or instants that `merge_gap_ns` joins. It is
/// true if at least one of its alarms lies in a window; a window is hit if at least one alarm lies
/// in it. NaN where there is nothing to divide by.
struct EventMetrics {
  std::int64_t n_events = 0;
  std::int64_t n_true_events = 0;
  std::int64_t n_windows = 0;
  std::int64_t n_windows_hit = 0;
  double event_precision = 0;  ///< true events / events
  double event_recall = 0;     ///< windows hit / windows; a window without an instant is missed
  double event_f1 = 0;         ///< harmonic mean of event precision and recall
  double mean_delay_s = 0;     ///< from a hit window's start to the first alarm in it
  double median_delay_s = 0;   ///< the same
  double events_per_day = 0;   ///< over the time from the first to the last instant
  double false_events_per_day = 0;
  double precision = 0;         ///< alarms inside windows / alarms, counted by instant
  double recall = 0;            ///< alarms inside windows / instants inside windows
  double false_alarm_rate = 0;  ///< alarms outside windows / instants outside windows
};

template <FieldsOf<EventMetrics> T>
void for_each_field(T& e, auto&& use) {
  use("n_events", e.n_events);
  use("n_true_events", e.n_true_events);
  use("n_windows", e.n_windows);
  use("n_windows_hit", e.n_windows_hit);
  use("event_precision", e.event_precision);
  use("event_recall", e.event_recall);
  use("event_f1", e.event_f1);
  use("mean_delay_s", e.mean_delay_s);
  use("median_delay_s", e.median_delay_s);
  use("events_per_day", e.events_per_day);
  use("false_events_per_day", e.false_events_per_day);
  use("precision", e.precision);
  use("recall", e.recall);
  use("false_alarm_rate", e.false_alarm_rate);
}

/// Compares alarms with labelled windows. O(n + w log n).
///
/// @param time_ns strictly increasing, in nanoseconds since 1970; at least one
/// @param alarms one per instant; an alarm if not 0
/// @param windows in any order, may overlap; each ends no earlier than it starts
/// @param merge_gap_ns largest time between two alarms of one event; 0 joins only consecutive ones
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT EventMetrics event_metrics(std::span<const std::int64_t> time_ns,
                                                           std::span<const std::uint8_t> alarms,
                                                           std::span<const TimeWindow> windows,
                                                           std::int64_t merge_gap_ns = 0);

}  // namespace secondlook
