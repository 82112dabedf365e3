#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "secondlook/core/matrix.hpp"

namespace secondlook {

/// Readings of several sensors, one row per instant.
struct TimeTable {
  /// Nanoseconds since 1970-01-01 00:00, rising: in UTC, or by the local clock of the plant.
  std::vector<std::int64_t> time_ns;
  /// Whether `time_ns` counts in UTC; otherwise nothing stated the zone.
  bool is_utc = false;
  std::vector<std::string> columns;
  /// (times, columns); NaN where there is no reading.
  Matrix<double> values;
};

}  // namespace secondlook
