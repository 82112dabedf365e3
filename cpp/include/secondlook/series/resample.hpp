#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/series/time_table.hpp"

namespace secondlook {

/// Equal time steps: step i is [start + i · step, start + (i + 1) · step), in nanoseconds.
struct TimeGrid {
  std::int64_t start_ns = 0;
  std::int64_t step_ns = 1;  ///< above 0
  std::size_t n_steps = 0;

  bool operator==(const TimeGrid&) const = default;
};

/// How the readings within one step are aggregated.
enum class Aggregate { mean, last };
template <>
inline constexpr std::array<std::string_view, 2> names_of<Aggregate>{"mean", "last"};

/// The steps, at multiples of `step_ns` since 1970, that cover all times in `time_ns`, which must
/// be increasing.
/// @throws InvalidArgument if there are no times, or the step is not above 0
[[nodiscard]] SECONDLOOK_EXPORT TimeGrid grid_over(std::span<const std::int64_t> time_ns,
                                                   std::int64_t step_ns);

/// Resamples readings to a grid: for each step and column the mean, or the last, of the readings in
/// the step; NaN if there is none. Readings outside the grid are ignored.
///
/// O(values + steps · columns). Means are summed in order of time, so the result does not depend on
/// the number of threads.
/// @param time_ns strictly increasing, one per row of `values`
/// @returns (steps, columns)
/// @throws InvalidArgument otherwise, and if the grid exceeds the range of times
[[nodiscard]] SECONDLOOK_EXPORT Matrix<double> resample(std::span<const std::int64_t> time_ns,
                                                        MatrixView<double> values,
                                                        const TimeGrid& grid,
                                                        Aggregate aggregate = Aggregate::mean,
                                                        int n_jobs = 0);

/// The same for a table; its times become the starts of the steps.
[[nodiscard]] SECONDLOOK_EXPORT TimeTable resample(const TimeTable& table, const TimeGrid& grid,
                                                   Aggregate aggregate = Aggregate::mean,
                                                   int n_jobs = 0);

/// What part of the times several tables are brought to.
enum class Span {
  common,  ///< the steps within all tables
  whole    ///< the steps within any table
};
template <>
inline constexpr std::array<std::string_view, 2> names_of<Span>{"common", "whole"};

/// One grid for several grids with the same step.
/// @throws InvalidArgument if there are no grids, or they share no step
[[nodiscard]] SECONDLOOK_EXPORT TimeGrid common_grid(std::span<const TimeGrid> grids,
                                                     Span span = Span::common);

/// One grid for several tables, at multiples of `step_ns` since 1970.
/// @throws InvalidArgument if the tables share no step, or only some of them are in UTC
[[nodiscard]] SECONDLOOK_EXPORT TimeGrid common_grid(std::span<const TimeTable* const> tables,
                                                     std::int64_t step_ns,
                                                     Span span = Span::common);

/// Resamples several tables to their `common_grid`, so that row i is the same step in all of them.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<TimeTable> align(
    std::span<const TimeTable* const> tables, std::int64_t step_ns, Span span = Span::common,
    Aggregate aggregate = Aggregate::mean, int n_jobs = 0);

}  // namespace secondlook
