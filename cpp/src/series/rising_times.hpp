#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "core/validation.hpp"

namespace secondlook {

/// Checks that there is one time per row and that times are strictly increasing.
inline void require_rising_times(std::string_view who, std::span<const std::int64_t> time_ns,
                                 Index n_rows) {
  require(static_cast<Index>(time_ns.size()) == n_rows,
          "{}: expected one time per row ({}), got {}", who, n_rows, time_ns.size());
  const auto found = std::adjacent_find(time_ns.begin(), time_ns.end(), std::greater_equal<>());
  require(found == time_ns.end(),
          "{}: expected strictly increasing times, got {} ns after {} ns in row {}", who,
          found == time_ns.end() ? 0 : found[1], found == time_ns.end() ? 0 : found[0],
          found - time_ns.begin() + 1);
}

}  // namespace secondlook
