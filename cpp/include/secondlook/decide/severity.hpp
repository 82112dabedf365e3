#pragma once

#include <cstddef>
#include <string_view>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// How urgently somebody should look.
enum class Severity { normal, medium, high, critical };
template <>
inline constexpr std::array<std::string_view, 4> names_of<Severity>{"normal", "medium", "high",
                                                                    "critical"};

/// Margin at or above which an anomaly is clear: as far beyond the threshold as the threshold is
/// from the middle of the normal range.
inline constexpr double kClearMargin = 2;

/// Grades a vote: `normal` with fewer votes than needed, otherwise `medium`, raised by one level
/// for more votes than needed and by one level for a clear margin.
///
/// @param n_votes number of votes for an anomaly
/// @param n_needed number of votes that make an anomaly, at least 1
/// @param margin of the weakest vote needed: 0 is the middle of the normal range, 1 the threshold
[[nodiscard]] SECONDLOOK_EXPORT Severity grade(std::size_t n_votes, std::size_t n_needed,
                                               double margin) noexcept;

}  // namespace secondlook
