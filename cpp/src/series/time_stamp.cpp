#include "series/time_stamp.hpp"

namespace secondlook {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

// Reads a text from the front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : p_(text.data()), end_(p_ + text.size()) {}

  [[nodiscard]] bool done() const { return p_ == end_; }

  bool skip(char c) {
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }

  // A number of `min` to `max` digits; −1 if there is none.
  int number(int min, int max) {
    int value = 0;
    int n = 0;
    while (n < max && p_ != end_ && is_digit(*p_)) {
      value = value * 10 + (*p_++ - '0');
      ++n;
    }
    return n >= min ? value : -1;
  }

  // The decimals of a second, as nanoseconds; −1 unless there are one to nine.
  std::int64_t decimals() {
    std::int64_t value = 0;
    std::int64_t unit = kSecond;
    while (unit > 1 && p_ != end_ && is_digit(*p_)) {
      unit /= 10;
      value += (*p_++ - '0') * unit;
    }
    return unit == kSecond ? -1 : value;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  const char* p_;
  const char* end_;
};

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (leap && month == 2 ? 1 : 0);
}

// Days since 1970-01-01 in the Gregorian calendar (Hinnant, chrono-compatible date algorithms).
std::int64_t days_since_epoch(int year, int month, int day) {
  const int y = month <= 2 ? year - 1 : year;
  const int era = y / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return std::int64_t{era} * 146097 + day_of_era - 719468;
}

std::optional<std::int64_t> scan_date(Scanner& text) {
  const int year = text.number(4, 4);
  const char separator = text.skip('-') ? '-' : '/';
  if (year < 0 || (separator == '/' && !text.skip('/'))) return std::nullopt;
  const int month = text.number(1, 2);
  if (month < 1 || month > 12 || !text.skip(separator)) return std::nullopt;
  const int day = text.number(1, 2);
  if (year < 1678 || year > 2261 || day < 1 || day > days_in_month(year, month))
    return std::nullopt;
  return days_since_epoch(year, month, day);
}

// Midnight at the end of a day may be written 24:00, which is 00:00 of the next day.
std::optional<std::int64_t> scan_time_of_day(Scanner& text, bool& lacks_seconds) {
  const int hour = text.number(1, 2);
  if (hour < 0 || hour > 24 || !text.skip(':')) return std::nullopt;
  const int minute = text.number(2, 2);
  if (minute < 0 || minute > 59) return std::nullopt;
  std::int64_t nanoseconds = (hour * 60 + minute) * 60 * kSecond;
  lacks_seconds = !text.skip(':');
  if (!lacks_seconds) {
    const int second = text.number(2, 2);
    if (second < 0 || second > 59) return std::nullopt;
    nanoseconds += second * kSecond;
    if (text.skip('.') || text.skip(',')) {
      const std::int64_t decimals = text.decimals();
      if (decimals < 0) return std::nullopt;
      nanoseconds += decimals;
    }
  }
  return nanoseconds <= kDay ? std::optional(nanoseconds) : std::nullopt;
}

std::optional<std::int64_t> scan_offset(Scanner& text) {
  const bool west = text.skip('-');
  if (!west && !text.skip('+')) return std::nullopt;
  const int hours = text.number(2, 2);
  if (hours < 0 || hours > 23) return std::nullopt;
  const bool has_colon = text.skip(':');
  const int minutes = text.done() && !has_colon ? 0 : text.number(2, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (hours * 60 + minutes) * 60 * kSecond;
}

// Adds the time of day and the offset after it to the midnight in `stamp`.
std::optional<TimeStamp> scan_rest(Scanner& text, TimeStamp stamp) {
  const std::optional<std::int64_t> time = scan_time_of_day(text, stamp.lacks_seconds);
  if (!time) return std::nullopt;
  stamp.nanoseconds += *time;
  if (text.done()) return stamp;

  stamp.has_offset = true;
  if (text.skip('Z')) return text.done() ? std::optional(stamp) : std::nullopt;
  text.skip(' ');
  const std::optional<std::int64_t> offset = scan_offset(text);
  if (!offset || !text.done()) return std::nullopt;
  stamp.nanoseconds -= *offset;
  return stamp;
}

}  // namespace

std::optional<TimeStamp> parse_time_stamp(std::string_view text) noexcept {
  Scanner scanner(text);
  const std::optional<std::int64_t> days = scan_date(scanner);
  if (!days) return std::nullopt;
  const TimeStamp midnight{*days * kDay};
  if (scanner.done()) return midnight;
  if (!scanner.skip(' ') && !scanner.skip('T')) return std::nullopt;
  return scan_rest(scanner, midnight);
}

std::optional<TimeStamp> parse_time_of_day(std::string_view text) noexcept {
  Scanner scanner(text);
  return scan_rest(scanner, TimeStamp{});
}

}  // namespace secondlook
