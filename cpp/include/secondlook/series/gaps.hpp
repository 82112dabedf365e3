#pragma once

#include <cstdint>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix.hpp"

namespace secondlook {

/// Where a value comes from.
enum class Origin : std::uint8_t { measured = 0, interpolated = 1, missing = 2 };
template <>
inline constexpr std::array<std::string_view, 3> names_of<Origin>{"measured", "interpolated",
                                                                  "missing"};

/// Fills gaps of NaN within each column on the straight line in time between the readings on both
/// sides, where these are at most `limit_ns` apart; longer gaps, and those at either end, stay NaN.
///
/// O(values). A reading is never changed.
/// @param time_ns rising, one for each row
/// @param values (times, columns), changed in place; finite or NaN
/// @param limit_ns from 0 on
/// @returns for each value where it comes from
/// @throws InvalidArgument
[[nodiscard]] SECONDLOOK_EXPORT Matrix<Origin> interpolate(std::span<const std::int64_t> time_ns,
                                                           Matrix<double>& values,
                                                           std::int64_t limit_ns);

}  // namespace secondlook
