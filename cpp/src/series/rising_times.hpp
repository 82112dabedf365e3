#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "core/validation.hpp"

namespace secondlook {

/// Checks that there is one time for each row, and that each is later than the one before.
inline void require_rising_times(std::string_view who, std::span<const std::int64_t> time_ns,
                                 Index n_rows) {
  require(static_cast<Index>(time_ns.size()) == n_rows, "{}: expected {} times, got {}", who,
          n_rows, time_ns.size());
  const auto place = std::adjacent_find(time_ns.begin(), time_ns.end(), std::greater_equal<>());
  require(place == time_ns.end(), "{}: expected rising times, got {} ns after {} ns in row {}", who,
          place == time_ns.end() ? 0 : place[1], place == time_ns.end() ? 0 : place[0],
          place - time_ns.begin() + 1);
}

}  // namespace secondlook
