#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace secondlook {

/// An instant read from a text.
struct TimeStamp {
  std::int64_t nanoseconds = 0;  ///< since 1970-01-01 00:00, by UTC if `has_offset`
  bool has_offset = false;
  bool lacks_seconds = false;  ///< hours and minutes only
};

/// Reads times such as `2021/06/10 20:00:08` and `2021-06-10T20:00:08.25+08:00`, see `read_csv`.
/// Returns nothing if the text has another form, the date is invalid, or it is not in 1678 to 2262.
[[nodiscard]] std::optional<TimeStamp> parse_time_stamp(std::string_view text) noexcept;

/// Reads a time of day such as `20:00:08.25` or `20:00+08:00`, as if the day were 1970-01-01.
[[nodiscard]] std::optional<TimeStamp> parse_time_of_day(std::string_view text) noexcept;

}  // namespace secondlook
