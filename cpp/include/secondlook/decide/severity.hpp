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

/// The margin from which on an anomaly is clear: as far beyond its limit as the limit is from the
/// middle of what is normal.
inline constexpr double kClearMargin = 2;

/// Grades a vote: `normal` with fewer votes than needed; else `medium`, one step up for each of: a
/// vote more than needed, a clear margin.
///
/// @param n_votes cast for an anomaly
/// @param n_needed for an anomaly, at least 1
/// @param margin of the weakest vote that was needed: 0 is the middle of what is normal, 1 a limit
[[nodiscard]] SECONDLOOK_EXPORT Severity grade(std::size_t n_votes, std::size_t n_needed,
                                               double margin) noexcept;

}  // namespace secondlook
