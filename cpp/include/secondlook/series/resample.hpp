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

/// Equal steps of time: step i is [start + i · step, start + (i + 1) · step), in nanoseconds.
struct TimeGrid {
  std::int64_t start_ns = 0;
  std::int64_t step_ns = 1;  ///< above 0
  std::size_t n_steps = 0;

  bool operator==(const TimeGrid&) const = default;
};

/// What becomes of the readings within one step.
enum class Aggregate { mean, last };
template <>
inline constexpr std::array<std::string_view, 2> names_of<Aggregate>{"mean", "last"};

/// The steps, at multiples of `step_ns` since 1970, that hold all of these rising times.
/// @throws InvalidArgument without times, or for a step that is not above 0
[[nodiscard]] SECONDLOOK_EXPORT TimeGrid grid_over(std::span<const std::int64_t> time_ns,
                                                   std::int64_t step_ns);

/// Readings brought to a common step: for each step and column the mean, or the last, of the
/// readings that are there; NaN where there is none. Readings outside the grid do not count.
///
/// O(values + steps · columns). Means are sums in the order of time, so the result does not depend
/// on the number of threads.
/// @param time_ns rising, one for each row of `values`
/// @returns (steps, columns)
/// @throws InvalidArgument
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
  common,  ///< the steps that lie within all tables
  whole    ///< the steps of any table
};
template <>
inline constexpr std::array<std::string_view, 2> names_of<Span>{"common", "whole"};

/// One grid for what several grids of one step hold.
/// @throws InvalidArgument without grids, and when no step is common
[[nodiscard]] SECONDLOOK_EXPORT TimeGrid common_grid(std::span<const TimeGrid> grids,
                                                     Span span = Span::common);

/// One grid for several tables, at multiples of `step_ns` since 1970.
/// @throws InvalidArgument when there is no common step, or the tables' zones differ
[[nodiscard]] SECONDLOOK_EXPORT TimeGrid common_grid(std::span<const TimeTable* const> tables,
                                                     std::int64_t step_ns,
                                                     Span span = Span::common);

/// Several tables brought to `common_grid`: row i is the same step in all of them.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<TimeTable> align(
    std::span<const TimeTable* const> tables, std::int64_t step_ns, Span span = Span::common,
    Aggregate aggregate = Aggregate::mean, int n_jobs = 0);

}  // namespace secondlook
