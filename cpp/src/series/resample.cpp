#include "secondlook/series/resample.hpp"

#include <cmath>
#include <limits>

#include "core/validation.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "series/rising_times.hpp"

namespace secondlook {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxSteps = std::size_t{1} << 40;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The steps with the numbers `first` to `last`, both included.
TimeGrid grid_between(std::int64_t first, std::int64_t last, std::int64_t step_ns) {
  // The first step may begin before the earliest instant that fits into 64 bits.
  std::int64_t start = 0;
  require(!__builtin_mul_overflow(first, step_ns, &start),
          "resample: expected a step within the range of 64-bit times, got {} ns", step_ns);
  return {start, step_ns, static_cast<std::size_t>(last - first) + 1};
}

void check_grid(const TimeGrid& grid) {
  require(grid.step_ns > 0, "resample: expected a step above 0, got {} ns", grid.step_ns);
  std::int64_t length = 0;
  std::int64_t end = 0;
  require(
      grid.n_steps <= kMaxSteps &&
          !__builtin_mul_overflow(grid.step_ns, static_cast<std::int64_t>(grid.n_steps), &length) &&
          !__builtin_add_overflow(grid.start_ns, length, &end),
      "resample: expected a grid within the range of 64-bit times, got {} steps of {} ns from {} "
      "ns",
      grid.n_steps, grid.step_ns, grid.start_ns);
}

// Mean of each column over the readings `rows` of one step.
void take_mean(MatrixView<double> rows, double* sums, double* counts, Index n_columns) {
  std::fill(sums, sums + n_columns, 0.0);
  std::fill(counts, counts + n_columns, 0.0);
  for (Index i = 0; i < rows.rows(); ++i) {
    const auto row = rows.row(i);
    for (Index c = 0; c < n_columns; ++c) {
      const bool present = row[c] == row[c];
      sums[c] += present ? row[c] : 0.0;
      counts[c] += present ? 1.0 : 0.0;
    }
  }
  for (Index c = 0; c < n_columns; ++c) sums[c] = counts[c] > 0 ? sums[c] / counts[c] : kMissing;
}

void take_last(MatrixView<double> rows, double* last, Index n_columns) {
  std::fill(last, last + n_columns, kMissing);
  for (Index i = 0; i < rows.rows(); ++i)
    for (Index c = 0; c < n_columns; ++c)
      if (!std::isnan(rows(i, c))) last[c] = rows(i, c);
}

}  // namespace

TimeGrid grid_over(std::span<const std::int64_t> time_ns, std::int64_t step_ns) {
  require(step_ns > 0, "resample: expected a step above 0, got {} ns", step_ns);
  require(!time_ns.empty(), "resample: expected at least 1 time, got 0");
  return grid_between(floor_divide(time_ns.front(), step_ns), floor_divide(time_ns.back(), step_ns),
                      step_ns);
}

Matrix<double> resample(std::span<const std::int64_t> time_ns, MatrixView<double> values,
                        const TimeGrid& grid, Aggregate aggregate, int n_jobs) {
  require_rising_times("resample", time_ns, values.rows());
  check_grid(grid);
  const Index n_columns = values.cols();
  Matrix<double> result(static_cast<Index>(grid.n_steps), n_columns);
  const auto work = [&](std::size_t begin, std::size_t end) {
    std::vector<double> counts(static_cast<std::size_t>(n_columns));
    const auto starts_at = [&](std::size_t step) {
      return grid.start_ns + static_cast<std::int64_t>(step) * grid.step_ns;
    };
    auto from = std::lower_bound(time_ns.begin(), time_ns.end(), starts_at(begin));
    for (std::size_t step = begin; step < end; ++step) {
      auto to = from;
      while (to != time_ns.end() && *to < starts_at(step + 1)) ++to;
      const MatrixView<double> rows = values.middle_rows(from - time_ns.begin(), to - from);
      double* target = result.row(static_cast<Index>(step)).data();
      if (aggregate == Aggregate::mean)
        take_mean(rows, target, counts.data(), n_columns);
      else
        take_last(rows, target, n_columns);
      from = to;
    }
  };
  parallel_for(grid.n_steps, 256, resolve_threads(n_jobs), work);
  return result;
}

TimeTable resample(const TimeTable& table, const TimeGrid& grid, Aggregate aggregate, int n_jobs) {
  TimeTable result;
  result.values = resample(table.time_ns, table.values, grid, aggregate, n_jobs);
  result.is_utc = table.is_utc;
  result.columns = table.columns;
  for (std::size_t i = 0; i < grid.n_steps; ++i)
    result.time_ns.push_back(grid.start_ns + static_cast<std::int64_t>(i) * grid.step_ns);
  return result;
}

TimeGrid common_grid(std::span<const TimeGrid> grids, Span span) {
  require(!grids.empty(), "align: expected at least 1 table, got 0");
  const auto first_of = [](const TimeGrid& grid) { return grid.start_ns / grid.step_ns; };
  const auto end_of = [&](const TimeGrid& grid) {
    return first_of(grid) + static_cast<std::int64_t>(grid.n_steps);
  };
  std::int64_t first = first_of(grids.front());
  std::int64_t end = end_of(grids.front());
  for (const TimeGrid& grid : grids) {
    const bool common = span == Span::common;
    first = common ? std::max(first, first_of(grid)) : std::min(first, first_of(grid));
    end = common ? std::min(end, end_of(grid)) : std::max(end, end_of(grid));
  }
  require(first < end, "align: expected tables that overlap in time, but they share no step");
  return grid_between(first, end - 1, grids.front().step_ns);
}

TimeGrid common_grid(std::span<const TimeTable* const> tables, std::int64_t step_ns, Span span) {
  require(step_ns > 0, "align: expected a step above 0, got {} ns", step_ns);
  std::vector<TimeGrid> grids;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const TimeTable& table = *tables[i];
    require(!table.time_ns.empty(), "align: expected tables with rows, but table {} is empty", i);
    require(table.is_utc == tables[0]->is_utc,
            "align: expected either all tables in UTC or none, but table 0 {} and table {} {}",
            tables[0]->is_utc ? "is" : "is not", i, table.is_utc ? "is" : "is not");
    grids.push_back(grid_over(table.time_ns, step_ns));
  }
  return common_grid(grids, span);
}

std::vector<TimeTable> align(std::span<const TimeTable* const> tables, std::int64_t step_ns,
                             Span span, Aggregate aggregate, int n_jobs) {
  const TimeGrid grid = common_grid(tables, step_ns, span);
  std::vector<TimeTable> aligned;
  for (const TimeTable* table : tables)
    aligned.push_back(resample(*table, grid, aggregate, n_jobs));
  return aligned;
}

}  // namespace secondlook
