#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "secondlook/core/matrix.hpp"

namespace secondlook {

/// Readings of several sensors, one row per instant.
struct TimeTable {
  /// Nanoseconds since 1970-01-01 00:00, strictly increasing, in UTC or local time.
  std::vector<std::int64_t> time_ns;
  /// Whether `time_ns` is in UTC; otherwise it is local time of an unknown zone.
  bool is_utc = false;
  std::vector<std::string> columns;
  /// (times, columns); NaN means no reading.
  Matrix<double> values;
};

}  // namespace secondlook
