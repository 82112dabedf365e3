#pragma once

#include <cstdint>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix.hpp"

namespace secondlook {

/// Origin of a value.
enum class Origin : std::uint8_t { measured = 0, interpolated = 1, missing = 2 };
template <>
inline constexpr std::array<std::string_view, 3> names_of<Origin>{"measured", "interpolated",
                                                                  "missing"};

/// Fills gaps of NaN in each column by linear interpolation in time between the readings on both
/// sides, if these are at most `limit_ns` apart. Longer gaps, and gaps at either end, remain NaN.
///
/// O(values). Readings are never changed.
/// @param time_ns strictly increasing, one per row
/// @param values (times, columns), finite or NaN; changed in place
/// @param limit_ns at least 0
/// @returns the origin of each value
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT Matrix<Origin> interpolate(std::span<const std::int64_t> time_ns,
                                                           Matrix<double>& values,
                                                           std::int64_t limit_ns);

}  // namespace secondlook
