#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "series/clock.hpp"

namespace secondlook {

/// Rows in file order whose times a clock shows twice because it was set back.
struct RepeatedHour {
  std::span<const std::int64_t> local_ns;
  Clock::Change change;
  /// Times in UTC of the rows before and after, if there are any.
  std::optional<std::int64_t> previous_ns;
  std::optional<std::int64_t> next_ns;
};

/// Index of the first row after the clock was set back (`local_ns.size()` if there is none), or
/// nothing if the order of the rows does not decide.
///
/// The index is where the times step back. If they only increase, they lie before the change if
/// they closely follow the row before them, and after it if the next row closely follows them.
[[nodiscard]] std::optional<std::size_t> find_put_back(const RepeatedHour& hour);

}  // namespace secondlook
