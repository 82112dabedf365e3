#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace secondlook {

/// Whether the bytes are UTF-8 (Unicode 15, table 3-7).
[[nodiscard]] bool is_utf8(std::string_view text);

/// A user's text for display in an error: short, on one line, valid UTF-8.
[[nodiscard]] std::string shown(std::string_view text);

/// The first names of a list, each in quotes.
[[nodiscard]] std::string listed(const std::vector<std::string>& names);

/// A time such as `2021-06-10 20:00:08`.
[[nodiscard]] std::string shown_time(std::int64_t time_ns);

/// The text without spaces and tabs around it.
[[nodiscard]] std::string_view trim(std::string_view text);

[[nodiscard]] inline bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace secondlook
