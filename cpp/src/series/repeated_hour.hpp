#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "series/clock.hpp"

namespace secondlook {

/// Rows in the order of their file, with times that a clock shows twice because it was put back.
struct RepeatedHour {
  std::span<const std::int64_t> local_ns;
  Clock::Change change;
  /// The times in UTC of the rows before and behind, if there are any.
  std::optional<std::int64_t> previous_ns;
  std::optional<std::int64_t> next_ns;
};

/// The index of the first row after the clock was put back (`local_ns.size()` where none is), or
/// nothing if the order of the rows does not tell.
///
/// It is where the times step back. Where they only rise, they lie before the change if they follow
/// closely on the row before, and after it if the row behind follows closely on them.
[[nodiscard]] std::optional<std::size_t> find_put_back(const RepeatedHour& hour);

}  // namespace secondlook
