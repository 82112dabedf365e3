#include "series/shown_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace secondlook {

namespace {

// Length of the UTF-8 character at the front, 0 if it is invalid.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t n = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(1);
  const bool allowed = !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F) &&
                       !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
  return allowed ? n : 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = character_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMaxBytes = 40;
  std::string result;
  while (!text.empty()) {
    if (result.size() >= kMaxBytes) return result + "…";
    const std::size_t n = character_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (n == 0 || byte < 0x20 || byte == 0x7F)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += text.substr(0, n);
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return result;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMaxNames = 20;
  std::vector<std::string> some;
  for (std::size_t i = 0; i < std::min(names.size(), kMaxNames); ++i)
    some.push_back(fmt::format("'{}'", shown(names[i])));
  const std::string rest =
      names.size() > kMaxNames ? fmt::format(" and {} more", names.size() - kMaxNames) : "";
  return fmt::format("{}{}", fmt::join(some, ", "), rest);
}

std::string shown_time(std::int64_t time_ns) {
  using namespace std::chrono;
  const sys_seconds time{floor<seconds>(nanoseconds(time_ns))};
  const year_month_day date{floor<days>(time)};
  const hh_mm_ss clock{time - floor<days>(time)};
  return fmt::format("{}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace secondlook
