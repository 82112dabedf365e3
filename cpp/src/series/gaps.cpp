#include "secondlook/series/gaps.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/validation.hpp"
#include "series/rising_times.hpp"

namespace secondlook {

namespace {

// Nanoseconds since 1970 do not fit into a double exactly, but differences of times do.
double fraction(std::int64_t from, std::int64_t at, std::int64_t to) {
  return static_cast<double>(at - from) / static_cast<double>(to - from);
}

}  // namespace

Matrix<Origin> interpolate(std::span<const std::int64_t> time_ns, Matrix<double>& values,
                           std::int64_t limit_ns) {
  require_rising_times("interpolate", time_ns, values.rows());
  require(limit_ns >= 0, "interpolate: expected a limit of at least 0, got {} ns", limit_ns);
  const Index n_rows = values.rows();
  const Index n_columns = values.cols();
  Matrix<Origin> origins(n_rows, n_columns);
  std::ranges::fill(origins.values(), Origin::missing);

  // Goes through the rows in memory order and keeps the last reading of each column.
  std::vector<Index> last_reading(static_cast<std::size_t>(n_columns), -1);
  for (Index row = 0; row < n_rows; ++row) {
    for (Index column = 0; column < n_columns; ++column) {
      const double to = values(row, column);
      if (std::isnan(to)) continue;
      require(std::isfinite(to),
              "interpolate: expected finite values or NaN, got {} in row {}, column {}", to, row,
              column);
      origins(row, column) = Origin::measured;
      const Index last = std::exchange(last_reading[static_cast<std::size_t>(column)], row);
      if (last < 0 || last == row - 1) continue;
      const std::int64_t t0 = time_ns[static_cast<std::size_t>(last)];
      const std::int64_t t1 = time_ns[static_cast<std::size_t>(row)];
      // The difference of two 64-bit times may need one more bit.
      if (static_cast<std::uint64_t>(t1) - static_cast<std::uint64_t>(t0) >
          static_cast<std::uint64_t>(limit_ns))
        continue;
      const double from = values(last, column);
      for (Index gap = last + 1; gap < row; ++gap) {
        const double part = fraction(t0, time_ns[static_cast<std::size_t>(gap)], t1);
        values(gap, column) = from * (1 - part) + to * part;
        origins(gap, column) = Origin::interpolated;
      }
    }
  }
  return origins;
}

}  // namespace secondlook
