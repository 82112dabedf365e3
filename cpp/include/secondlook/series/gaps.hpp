#pragma once

#include <cstdint>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// Where a value comes from.
enum class Origin : std::uint8_t { measured = 0, interpolated = 1, missing = 2 };

using OriginMatrix = Eigen::Matrix<Origin, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Fills gaps of NaN within each column on the straight line in time between the readings on both
/// sides, where these are at most `limit_ns` apart; longer gaps, and those at either end, stay NaN.
///
/// O(values). A reading is never changed.
/// @param time_ns rising, one for each row
/// @param values (times, columns), contiguous, changed in place; finite or NaN
/// @param limit_ns from 0 on
/// @returns for each value where it comes from
/// @throws InvalidArgument
[[nodiscard]] SECONDLOOK_EXPORT OriginMatrix interpolate(std::span<const std::int64_t> time_ns,
                                                         Eigen::Ref<Matrix<double>> values,
                                                         std::int64_t limit_ns);

}  // namespace secondlook
