#include "series/csv_text.hpp"

#include <fmt/ranges.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/validation.hpp"
#include "series/decimal.hpp"
#include "series/time_stamp.hpp"

namespace secondlook {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMillisecond = 1'000'000;

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Length of the UTF-8 character at the front, 0 if it is none (Unicode 15, table 3-7).
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

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = character_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

// A field as an error may show it: short, one line, valid UTF-8.
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

char guess_delimiter(std::string_view line) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    bool quoted = false;
    std::ptrdiff_t n = 0;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == '\n' && !quoted) break;
      if (c == candidate && !quoted) ++n;
    }
    if (n > most) {
      best = candidate;
      most = n;
    }
  }
  return best;
}

std::optional<std::size_t> find_name(const CsvHeader& header, const std::string& name) {
  const auto found = std::find(header.names.begin(), header.names.end(), name);
  if (found == header.names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.names.begin());
}

std::size_t require_name(const CsvHeader& header, const std::string& name, std::string_view what,
                         const std::string& file) {
  const std::optional<std::size_t> place = find_name(header, name);
  require(place.has_value(), "read_csv: {}: expected a {} '{}', got the columns {}", file, what,
          shown(name), listed(header.names));
  return *place;
}

struct SpecialFields {
  std::size_t time = 0;
  std::optional<std::size_t> millisecond;
};

SpecialFields find_special_fields(const CsvHeader& header, const CsvOptions& options,
                                  const std::string& file) {
  SpecialFields fields;
  if (!options.time_column.empty())
    fields.time = require_name(header, options.time_column, "time column", file);
  if (!options.millisecond_column.empty())
    fields.millisecond =
        require_name(header, options.millisecond_column, "millisecond column", file);
  require(fields.millisecond != fields.time,
          "read_csv: {}: expected time and milliseconds in two columns, got '{}' for both", file,
          shown(header.names[fields.time]));
  return fields;
}

// The words by which exports say that there is no reading.
bool means_missing(std::string_view field) {
  constexpr std::size_t kMaxLength = 9;
  if (field.empty()) return true;
  if (field.size() > kMaxLength) return false;
  std::string lower(field);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const std::string_view word :
       {"nan", "-nan", "nan(ind)", "-nan(ind)", "na", "n/a", "#n/a", "<na>", "null", "none"})
    if (lower == word) return true;
  return false;
}

std::optional<double> parse_number(std::string_view field) {
  if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
  double value = 0;
  const char* end = field.data() + field.size();
  const auto [rest, code] = std::from_chars(field.data(), end, value);
  if (code != std::errc{} || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

struct Field {
  std::string_view content;
  const char* end;  // at the delimiter or the line's end
  const char* fault = nullptr;
};

// One pass over the lines of a piece.
class RowReader {
 public:
  RowReader(const char* text, const std::string& file, const CsvLayout& layout, CsvPiece& piece)
      : text_(text), file_(file), layout_(layout), piece_(piece) {}

  void read(std::int64_t* time_ns, double* values) {
    const char* p = text_ + piece_.begin;
    const char* end = text_ + piece_.end;
    while (p < end && !stopped_) {
      if (*p == '\n' || (*p == '\r' && p[1] == '\n')) {
        p += *p == '\r' ? 2 : 1;
        continue;
      }
      if (!read_row(p, values)) continue;
      if (lacks_seconds_) piece_.rows_without_seconds.push_back(piece_.first_row + piece_.n_rows);
      *time_ns++ = time_ns_;
      values += layout_.n_columns;
      ++piece_.n_rows;
    }
  }

 private:
  // Reads the line at `p` and moves to the next. False when there is no row to keep.
  bool read_row(const char*& p, double* values) {
    row_ = p;
    has_time_ = false;
    milliseconds_ = 0;
    const std::size_t n_fields = layout_.targets.size();
    const std::int32_t* targets = layout_.targets.data();
    const char delimiter = layout_.delimiter;
    std::size_t field = 0;
    for (;;) {
      const std::int32_t target = targets[field];
      const char* next = nullptr;
      if (target >= 0) [[likely]] {
        next = parse_decimal(p, values[target]);
        if (next == nullptr || (*next != delimiter && *next != '\n')) [[unlikely]]
          next = read_number(p, field, values[target]);
      } else {
        next = read_special(p, field);
      }
      p = next;
      ++field;
      if (*p != delimiter || field == n_fields) break;
      ++p;
    }
    if (field < n_fields || *p == delimiter) [[unlikely]]
      finish_uneven_row(p, field, values);
    p = static_cast<const char*>(std::memchr(p, '\n', text_ + piece_.end + 1 - p)) + 1;
    if (stopped_ || !has_time_) return false;
    time_ns_ += milliseconds_ * kMillisecond;
    return true;
  }

  const char* read_number(const char* p, std::size_t field, double& value) {
    const Field text = take_field(p);
    value = kMissing;
    if (text.fault != nullptr) {
      report(field, text.fault, text.content);
    } else if (!means_missing(text.content)) {
      const std::optional<double> number = parse_number(text.content);
      if (number)
        value = *number;
      else
        report(field, "expected a number", text.content);
    }
    return text.end;
  }

  const char* read_special(const char* p, std::size_t field) {
    const Field text = take_field(p);
    const std::int32_t target = layout_.targets[field];
    if (target == CsvLayout::kTime) read_time(text, field);
    if (target == CsvLayout::kMillisecond) read_milliseconds(text, field);
    return text.end;
  }

  void read_time(const Field& text, std::size_t field) {
    const std::optional<TimeStamp> stamp =
        text.fault == nullptr ? parse_time_stamp(text.content) : std::nullopt;
    if (!stamp) return report(field, "expected a time such as 2021-06-10 20:00:08", text.content);
    has_time_ = true;
    time_ns_ = stamp->nanoseconds;
    lacks_seconds_ = stamp->lacks_seconds;
    const bool is_local = !stamp->has_offset;
    if (is_local && layout_.offset_is_known) time_ns_ -= layout_.utc_offset_ns;
    piece_.saw_local |= is_local && !layout_.offset_is_known;
    piece_.saw_utc |= !is_local || layout_.offset_is_known;
  }

  void read_milliseconds(const Field& text, std::size_t field) {
    constexpr double kMax = 999;
    const std::optional<double> number = parse_number(text.content);
    if (text.fault == nullptr && number && *number >= 0 && *number <= kMax &&
        *number == std::floor(*number))
      milliseconds_ = static_cast<std::int64_t>(*number);
    else
      report(field, "expected milliseconds from 0 to 999", text.content);
  }

  void finish_uneven_row(const char* p, std::size_t n_read, double* values) {
    const std::size_t n_fields = layout_.targets.size();
    for (std::size_t field = n_read; field < n_fields; ++field)
      if (layout_.targets[field] >= 0) values[layout_.targets[field]] = kMissing;
    std::size_t n = n_read;
    for (; *p == layout_.delimiter; ++n) p = take_field(p + 1).end;
    report_line(fmt::format("expected {} fields, got {}", n_fields, n));
  }

  // The field at `p`, without its quotes and the spaces around it.
  Field take_field(const char* p) {
    const char* begin = p;
    while (is_space(*begin) && *begin != layout_.delimiter) ++begin;
    if (*begin == '"') return take_quoted_field(begin);
    const char* end = begin;
    while (*end != layout_.delimiter && *end != '\n') ++end;
    const bool carriage_return = *end == '\n' && end > p && end[-1] == '\r';
    if (carriage_return) --end;
    return {trim({p, static_cast<std::size_t>(end - p)}), end};
  }

  Field take_quoted_field(const char* quote) {
    scratch_.clear();
    const char* p = quote + 1;
    for (;; ++p) {
      if (*p == '\n') return {scratch_, p, "expected a closing quote in the line"};
      if (*p == '"' && *++p != '"') break;
      scratch_ += *p;
    }
    while (is_space(*p) && *p != layout_.delimiter) ++p;
    const char* end = p;
    while (*end != layout_.delimiter && *end != '\n') ++end;
    const bool clean = end == p || (*end == '\n' && end == p + 1 && *p == '\r');
    return {trim(scratch_), end, clean ? nullptr : "expected nothing behind a closing quote"};
  }

  void report(std::size_t field, std::string_view expected, std::string_view got) {
    add_problem(field + 1, fmt::format("{} in column '{}', got '{}'", expected,
                                       shown(layout_.names[field]), shown(got)));
  }

  void report_line(std::string message) { add_problem(0, std::move(message)); }

  void add_problem(std::size_t column, std::string message) {
    if (stopped_) return;
    stopped_ = layout_.strict;
    ++piece_.n_problems;
    if (piece_.problems.size() >= kMaxProblems) return;
    const auto line = std::count(text_ + piece_.begin, row_, '\n');
    piece_.problems.push_back(
        {file_, piece_.first_line + static_cast<std::size_t>(line), column, std::move(message)});
  }

  const char* text_;
  const std::string& file_;
  const CsvLayout& layout_;
  CsvPiece& piece_;
  const char* row_ = nullptr;
  std::int64_t time_ns_ = 0;
  std::int64_t milliseconds_ = 0;
  bool has_time_ = false;
  bool lacks_seconds_ = false;
  bool stopped_ = false;
  std::string scratch_;
};

// Apart from the loop over names: showing them takes longer than reading them.
template <class... Args>
[[noreturn]] void fail_name(const std::string& file, std::size_t field,
                            fmt::format_string<Args...> format, Args&&... args) {
  throw InvalidArgument(fmt::format("read_csv: {}:1:{}: {}", file, field + 1,
                                    fmt::format(format, std::forward<Args>(args)...)));
}

// The names of a header, quoted or not.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, char delimiter, const std::string& file)
      : text_(text), delimiter_(delimiter), file_(file) {}

  CsvHeader read(std::size_t begin) {
    CsvHeader header;
    header.delimiter = delimiter_;
    place_ = begin;
    do {
      header.names.push_back(take_name());
    } while (place_ < text_.size() && text_[place_++] == delimiter_);
    header.end = place_;
    header.n_lines =
        static_cast<std::size_t>(std::count(text_.begin(), text_.begin() + place_, '\n'));
    return header;
  }

 private:
  std::string take_name() {
    while (place_ < text_.size() && is_space(text_[place_]) && text_[place_] != delimiter_)
      ++place_;
    if (place_ < text_.size() && text_[place_] == '"') return take_quoted_name();
    const std::size_t begin = place_;
    while (place_ < text_.size() && text_[place_] != delimiter_ && text_[place_] != '\n') ++place_;
    std::string_view name = text_.substr(begin, place_ - begin);
    if (at_line_end() && name.ends_with('\r')) name.remove_suffix(1);
    return std::string(trim(name));
  }

  std::string take_quoted_name() {
    std::string name;
    for (++place_;; ++place_) {
      require(place_ < text_.size(), "read_csv: {}:1: expected a closing quote in the header",
              file_);
      if (text_[place_] == '"') {
        ++place_;
        if (place_ >= text_.size() || text_[place_] != '"') break;
      }
      name += text_[place_];
    }
    while (place_ < text_.size() && text_[place_] != delimiter_ && text_[place_] != '\n') {
      const char c = text_[place_++];
      require(is_space(c) || c == '\r',
              "read_csv: {}:1: expected nothing behind the closing quote of '{}'", file_,
              shown(name));
    }
    return name;
  }

  [[nodiscard]] bool at_line_end() const { return place_ >= text_.size() || text_[place_] == '\n'; }

  std::string_view text_;
  char delimiter_;
  const std::string& file_;
  std::size_t place_ = 0;
};

}  // namespace

CsvHeader read_csv_header(std::string_view text, const CsvOptions& options,
                          const std::string& file) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  require(!text.starts_with("\xFF\xFE") && !text.starts_with("\xFE\xFF"),
          "read_csv: {}: expected UTF-8, got UTF-16", file);
  std::size_t begin = text.starts_with(kUtf8Mark) ? kUtf8Mark.size() : 0;
  while (begin < text.size() && (text[begin] == '\n' || text[begin] == '\r')) ++begin;
  require(begin < text.size(), "read_csv: {}: expected a header, got an empty file", file);

  const char delimiter =
      options.delimiter ? *options.delimiter : guess_delimiter(text.substr(begin));
  CsvHeader header = HeaderReader(text, delimiter, file).read(begin);
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < header.names.size(); ++i) {
    const std::string& name = header.names[i];
    if (!is_utf8(name) || name.find('\0') != std::string::npos)
      fail_name(file, i, "expected a name in UTF-8, got '{}'", shown(name));
    if (name.empty()) continue;
    const auto [place, is_new] = places.try_emplace(name, i + 1);
    if (!is_new)
      fail_name(file, i, "expected different names, '{}' is column {} already", shown(name),
                place->second);
  }
  return header;
}

std::vector<std::string> reading_columns(const CsvHeader& header, const CsvOptions& options,
                                         const std::string& file) {
  if (!options.columns.empty()) return options.columns;
  const SpecialFields special = find_special_fields(header, options, file);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < header.names.size(); ++i)
    if (i != special.time && i != special.millisecond && !header.names[i].empty())
      columns.push_back(header.names[i]);
  require(!columns.empty(), "read_csv: {}: expected columns of readings, got only {}", file,
          listed(header.names));
  return columns;
}

CsvLayout lay_out(const CsvHeader& header, const CsvOptions& options,
                  const std::vector<std::string>& columns, const std::string& file) {
  const SpecialFields special = find_special_fields(header, options, file);
  CsvLayout layout;
  layout.delimiter = header.delimiter;
  layout.names = header.names;
  layout.n_columns = columns.size();
  layout.strict = options.strict;
  layout.offset_is_known = options.utc_offset_minutes.has_value();
  layout.utc_offset_ns = options.utc_offset_minutes.value_or(0) * 60'000 * kMillisecond;

  std::unordered_map<std::string_view, std::int32_t> places;
  for (std::size_t i = 0; i < columns.size(); ++i)
    places.emplace(columns[i], static_cast<std::int32_t>(i));
  std::vector<std::string> others;
  std::size_t n_found = 0;
  for (std::size_t i = 0; i < header.names.size(); ++i) {
    std::int32_t target = CsvLayout::kIgnored;
    const auto found = places.find(header.names[i]);
    if (i == special.time)
      target = CsvLayout::kTime;
    else if (i == special.millisecond)
      target = CsvLayout::kMillisecond;
    else if (found != places.end())
      target = found->second;
    else if (!header.names[i].empty())
      others.push_back(header.names[i]);
    n_found += target >= 0 ? 1 : 0;
    layout.targets.push_back(target);
  }

  std::vector<std::string> lacking;
  for (std::size_t i = 0; n_found < columns.size() && i < columns.size(); ++i)
    if (std::find(layout.targets.begin(), layout.targets.end(), static_cast<std::int32_t>(i)) ==
        layout.targets.end())
      lacking.push_back(columns[i]);
  require(lacking.empty(), "read_csv: {}: expected a column {}, got the columns {}", file,
          listed(lacking), listed(header.names));
  require(others.empty() || !options.columns.empty(),
          "read_csv: {}: expected the columns of the first file, got {} besides", file,
          listed(others));
  return layout;
}

void read_csv_rows(const char* text, const std::string& file, const CsvLayout& layout,
                   CsvPiece& piece, std::int64_t* time_ns, double* values) {
  RowReader(text, file, layout, piece).read(time_ns, values);
}

}  // namespace secondlook
