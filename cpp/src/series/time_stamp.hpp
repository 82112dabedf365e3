#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace secondlook {

/// An instant as a text states it.
struct TimeStamp {
  std::int64_t nanoseconds = 0;  ///< since 1970-01-01 00:00, by UTC if `has_offset`
  bool has_offset = false;
  bool lacks_seconds = false;  ///< hours and minutes only
};

/// Reads `2021/06/10 20:00:08`, `2021-06-10T20:00:08.25+08:00` and their likes, see `read_csv`.
/// Nothing when the text is another, the date is none, or it does not fit (1678 to 2262).
[[nodiscard]] std::optional<TimeStamp> parse_time_stamp(std::string_view text) noexcept;

/// Reads a time of day such as `20:00:08.25` or `20:00+08:00`, as if the day were 1970-01-01.
[[nodiscard]] std::optional<TimeStamp> parse_time_of_day(std::string_view text) noexcept;

}  // namespace secondlook
