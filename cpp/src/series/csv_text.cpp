#include "series/csv_text.hpp"

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/validation.hpp"
#include "series/csv_quotes.hpp"
#include "series/decimal.hpp"
#include "series/shown_text.hpp"
#include "series/time_stamp.hpp"

namespace secondlook {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kDay = 86'400'000 * kMillisecond;

std::optional<std::size_t> find_name(const CsvHeader& header, const std::string& name) {
  const auto found = std::find(header.names.begin(), header.names.end(), name);
  if (found == header.names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.names.begin());
}

std::size_t require_name(const CsvHeader& header, const std::string& name, std::string_view what,
                         const std::string& file) {
  const std::optional<std::size_t> index = find_name(header, name);
  require(index.has_value(), "read_csv: {}: expected a {} '{}', got the columns {}", file, what,
          shown(name), listed(header.names));
  return *index;
}

struct SpecialFields {
  std::size_t time = 0;
  std::optional<std::size_t> time_of_day;
  std::optional<std::size_t> millisecond;

  // The target of a field that is not a reading; nothing for readings.
  [[nodiscard]] std::optional<std::int32_t> target(std::size_t field) const {
    if (field == time) return CsvLayout::kTime;
    if (field == time_of_day) return CsvLayout::kTimeOfDay;
    if (field == millisecond) return CsvLayout::kMillisecond;
    return std::nullopt;
  }
};

SpecialFields find_special_fields(const CsvHeader& header, const CsvOptions& options,
                                  const std::string& file) {
  SpecialFields fields;
  if (!options.time_column.empty())
    fields.time = require_name(header, options.time_column, "time column", file);
  if (!options.time_of_day_column.empty())
    fields.time_of_day =
        require_name(header, options.time_of_day_column, "time-of-day column", file);
  if (!options.millisecond_column.empty())
    fields.millisecond =
        require_name(header, options.millisecond_column, "millisecond column", file);
  require(fields.time_of_day != fields.time,
          "read_csv: {}: expected date and time of day in two columns, got '{}' for both", file,
          shown(header.names[fields.time]));
  require(fields.millisecond != fields.time &&
              (!fields.millisecond || fields.millisecond != fields.time_of_day),
          "read_csv: {}: expected time and milliseconds in two columns, got '{}' for both", file,
          shown(options.millisecond_column));
  return fields;
}

// Words that exports use for missing readings.
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

// A number with a decimal comma. A point in it would separate thousands or be a mistake.
std::optional<double> parse_comma_number(std::string_view field) {
  if (field.find('.') != std::string_view::npos) return std::nullopt;
  std::string text(field);
  const std::size_t comma = text.find(',');
  if (comma != std::string::npos) text[comma] = '.';
  return parse_number(text);
}

struct Field {
  std::string_view content;
  const char* end;  // the delimiter or line end after the field
  const char* fault = nullptr;
};

// One pass over the lines of a piece.
template <char kDecimal>
class RowReader {
 public:
  RowReader(const char* text, const std::string& file, const CsvLayout& layout, CsvPiece& piece)
      : text_(text),
        end_(text + piece.end),
        file_(file),
        layout_(layout),
        piece_(piece),
        n_times_(layout.time_is_split ? 2 : 1) {}

  void read(std::int64_t* time_ns, double* values) {
    const char* p = text_ + piece_.begin;
    while (p < end_ && !stopped_) {
      // Line ends and NUL bytes. Tabs as well, but they begin a row.
      if (static_cast<unsigned char>(*p) <= '\r' && skip_between_rows(p)) [[unlikely]]
        continue;
      ++piece_.n_lines;
      const std::size_t n_problems = piece_.n_problems;
      bool is_row = read_row(p, values);
      if (piece_.n_problems != n_problems && !stopped_) [[unlikely]]
        is_row = read_behind_nul(is_row, p, values);
      if (!is_row) continue;
      if (lacks_seconds_) piece_.rows_without_seconds.push_back(piece_.first_row + piece_.n_rows);
      *time_ns++ = time_ns_;
      values += layout_.n_columns;
      ++piece_.n_rows;
    }
  }

 private:
  // Skips a line end or NUL bytes; returns false if a row begins at `p`.
  bool skip_between_rows(const char*& p) {
    if (*p == '\n' || (*p == '\r' && p[1] == '\n')) {
      p += *p == '\r' ? 2 : 1;
      return true;
    }
    if (*p != '\0') return false;
    row_ = p;
    while (p < end_ && *p == '\0') ++p;
    report_line(
        fmt::format("expected a line of text, got {} NUL bytes (\\x00), probably from a loss of "
                    "power",
                    p - row_));
    return true;
  }

  // After a loss of power while a row was written, there are NUL bytes and then the next row in the
  // same line. If that row is complete, it is read instead of the damaged one.
  bool read_behind_nul(bool is_row, const char*& p, double* values) {
    const auto* nul =
        static_cast<const char*>(::memrchr(row_, '\0', static_cast<std::size_t>(p - row_)));
    if (nul == nullptr) return is_row;
    const char* rest = nul + 1;
    const char* q = rest;
    bool has_time = false;
    std::size_t n_fields = 0;
    for (;; ++q) {
      const Field field = take_field(q);
      if (n_fields < layout_.targets.size() && layout_.targets[n_fields] == CsvLayout::kTime)
        has_time = field.fault == nullptr && parse_time_stamp(field.content).has_value();
      ++n_fields;
      q = field.end;
      if (*q == '\n') break;
    }
    return has_time && n_fields == layout_.targets.size() ? read_row(p = rest, values) : is_row;
  }

  // Reads the line at `p` and moves to the next one. Returns false if there is no row to keep.
  bool read_row(const char*& p, double* values) {
    row_ = p;
    n_times_read_ = 0;
    stamp_ = {};
    milliseconds_ = 0;
    const std::size_t n_fields = layout_.targets.size();
    const std::int32_t* targets = layout_.targets.data();
    const char delimiter = layout_.delimiter;
    std::size_t field = 0;
    for (;;) {
      const std::int32_t target = targets[field];
      const char* next = nullptr;
      if (target >= 0) [[likely]] {
        next = parse_decimal<kDecimal>(p, values[target]);
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
      p = finish_uneven_row(p, field, values);
    p = static_cast<const char*>(std::memchr(p, '\n', text_ + piece_.end + 1 - p)) + 1;
    return !stopped_ && n_times_read_ == n_times_ && settle_time();
  }

  const char* read_number(const char* p, std::size_t field, double& value) {
    const Field text = take_field(p);
    value = kMissing;
    if (text.fault != nullptr) {
      report(field, text.fault, text.content);
    } else if (!means_missing(text.content)) {
      const std::optional<double> number =
          kDecimal == ',' ? parse_comma_number(text.content) : parse_number(text.content);
      if (number)
        value = *number;
      else
        report(field, "expected a number", text.content, way_out(text.content));
    }
    return text.end;
  }

  // The option that may help for a field that is not a number.
  static const char* way_out(std::string_view field) {
    if (kDecimal == '.' && parse_comma_number(field)) return "; for decimal commas use decimal=','";
    if (kDecimal == ',' && parse_number(field)) return "; for decimal points use decimal='.'";
    const bool is_time = parse_time_of_day(field).has_value();
    return is_time ? "; to join dates and times of day use time_column=(date, time of day)" : "";
  }

  const char* read_special(const char* p, std::size_t field) {
    const Field text = take_field(p);
    switch (layout_.targets[field]) {
      case CsvLayout::kTime:
        read_time(text, field);
        break;
      case CsvLayout::kTimeOfDay:
        read_time_of_day(text, field);
        break;
      case CsvLayout::kMillisecond:
        read_milliseconds(text, field);
        break;
      default:
        break;
    }
    return text.end;
  }

  void read_time(const Field& text, std::size_t field) {
    const std::optional<TimeStamp> stamp =
        text.fault == nullptr ? parse_time_stamp(text.content) : std::nullopt;
    if (!stamp) return report(field, "expected a time such as 2021-06-10 20:00:08", text.content);
    if (layout_.time_is_split && (stamp->has_offset || stamp->nanoseconds % kDay != 0))
      return report(field, "expected a date such as 2021-06-10", text.content);
    add_time(*stamp, field);
  }

  void read_time_of_day(const Field& text, std::size_t field) {
    const std::optional<TimeStamp> stamp =
        text.fault == nullptr ? parse_time_of_day(text.content) : std::nullopt;
    if (!stamp) return report(field, "expected a time of day such as 20:00:08", text.content);
    add_time(*stamp, field);
  }

  void add_time(const TimeStamp& stamp, std::size_t field) {
    ++n_times_read_;
    time_field_ = field;
    stamp_.nanoseconds += stamp.nanoseconds;
    stamp_.has_offset |= stamp.has_offset;
    // If date and time of day are split, only the time of day has seconds.
    stamp_.lacks_seconds |= stamp.lacks_seconds;
  }

  // Sets the time of the row, in UTC if the zone is known. Returns false if the local time does not
  // exist.
  bool settle_time() {
    time_ns_ = stamp_.nanoseconds + milliseconds_ * kMillisecond;
    lacks_seconds_ = stamp_.lacks_seconds;
    const bool is_known = stamp_.has_offset || layout_.clock != nullptr;
    (is_known ? piece_.saw_utc : piece_.saw_local) = true;
    if (stamp_.has_offset || layout_.clock == nullptr) return true;
    if (time_ns_ < reading_.begin_ns || time_ns_ >= reading_.end_ns)
      reading_ = layout_.clock->read(time_ns_);
    if (reading_.shown == Clock::Shown::once) [[likely]] {
      time_ns_ -= reading_.offset_ns;
      return true;
    }
    if (reading_.shown == Clock::Shown::never) {
      add_problem(
          time_field_ + 1,
          fmt::format(
              "expected a local time in column '{}', but {} does not exist in {}, where the "
              "clock is set forward",
              shown(layout_.names[time_field_]), shown_time(time_ns_), layout_.clock_name));
      return false;
    }
    piece_.repeated_hour.push_back({piece_.first_row + piece_.n_rows, reading_.change,
                                    static_cast<std::size_t>(row_ - text_)});
    return true;
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

  const char* finish_uneven_row(const char* p, std::size_t n_read, double* values) {
    const std::size_t n_fields = layout_.targets.size();
    for (std::size_t field = n_read; field < n_fields; ++field)
      if (layout_.targets[field] >= 0) values[layout_.targets[field]] = kMissing;
    std::size_t n = n_read;
    for (; *p == layout_.delimiter; ++n) p = take_field(p + 1).end;
    report_line(fmt::format("expected {} fields, got {}", n_fields, n));
    return p;
  }

  // The field at `p`, without quotes and surrounding spaces.
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
    const QuotedEnd found = find_quoted_end(quote, end_, layout_.delimiter);
    scratch_ = unquoted({quote + 1, found.close});
    switch (found.fault) {
      case QuotedEnd::Fault::unclosed:
        return {scratch_, found.end, "expected a closing quote"};
      case QuotedEnd::Fault::trailing:
        return {trim(scratch_), found.end, "expected nothing after a closing quote"};
      default:
        return {trim(scratch_), found.end};
    }
  }

  void report(std::size_t field, std::string_view expected, std::string_view got,
              std::string_view way_out = "") {
    add_problem(field + 1, fmt::format("{} in column '{}', got '{}'{}", expected,
                                       shown(layout_.names[field]), shown(got), way_out));
  }

  void report_line(std::string message) { add_problem(0, std::move(message)); }

  void add_problem(std::size_t column, std::string message) {
    if (stopped_) return;
    stopped_ = layout_.strict;
    ++piece_.n_problems;
    if (piece_.problems.size() >= kMaxProblems) return;
    const auto line_begin = static_cast<std::size_t>(row_ - text_);
    piece_.problems.push_back(
        {file_, line_number(text_, piece_, line_begin), column, std::move(message)});
  }

  const char* text_;
  const char* end_;
  const std::string& file_;
  const CsvLayout& layout_;
  CsvPiece& piece_;
  int n_times_;
  const char* row_ = nullptr;
  TimeStamp stamp_;
  int n_times_read_ = 0;
  std::size_t time_field_ = 0;
  std::int64_t time_ns_ = 0;
  std::int64_t milliseconds_ = 0;
  Clock::Reading reading_;
  bool lacks_seconds_ = false;
  bool stopped_ = false;
  std::string scratch_;
};

}  // namespace

std::vector<std::string> reading_columns(const CsvHeader& header, const CsvOptions& options,
                                         const std::string& file) {
  if (!options.columns.empty()) return options.columns;
  const SpecialFields special = find_special_fields(header, options, file);
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < header.names.size(); ++i)
    if (!special.target(i) && !header.names[i].empty()) columns.push_back(header.names[i]);
  require(!columns.empty(), "read_csv: {}: expected columns of readings, got only {}", file,
          listed(header.names));
  return columns;
}

CsvLayout lay_out(const CsvHeader& header, const CsvOptions& options,
                  const std::vector<std::string>& columns, const Clock* clock,
                  const std::string& file) {
  const SpecialFields special = find_special_fields(header, options, file);
  CsvLayout layout;
  layout.delimiter = header.delimiter;
  layout.names = header.names;
  layout.n_columns = columns.size();
  layout.decimal = header.decimal;
  layout.time_is_split = special.time_of_day.has_value();
  layout.clock = clock;
  layout.clock_name = options.clock_name;
  layout.strict = options.strict;

  std::unordered_map<std::string_view, std::int32_t> indices;
  for (std::size_t i = 0; i < columns.size(); ++i)
    indices.emplace(columns[i], static_cast<std::int32_t>(i));
  std::vector<std::string> others;
  std::size_t n_found = 0;
  for (std::size_t i = 0; i < header.names.size(); ++i) {
    std::int32_t target = CsvLayout::kIgnored;
    const auto found = indices.find(header.names[i]);
    if (special.target(i))
      target = *special.target(i);
    else if (found != indices.end())
      target = found->second;
    else if (!header.names[i].empty())
      others.push_back(header.names[i]);
    n_found += target >= 0 ? 1 : 0;
    layout.targets.push_back(target);
  }

  std::vector<std::string> missing;
  for (std::size_t i = 0; n_found < columns.size() && i < columns.size(); ++i)
    if (std::find(layout.targets.begin(), layout.targets.end(), static_cast<std::int32_t>(i)) ==
        layout.targets.end())
      missing.push_back(columns[i]);
  require(missing.empty(), "read_csv: {}: expected a column {}, got the columns {}", file,
          listed(missing), listed(header.names));
  require(others.empty() || !options.columns.empty(),
          "read_csv: {}: expected the columns of the first file, got the additional columns {}",
          file, listed(others));
  return layout;
}

void read_csv_rows(const char* text, const std::string& file, const CsvLayout& layout,
                   CsvPiece& piece, std::int64_t* time_ns, double* values) {
  if (layout.decimal == ',')
    RowReader<','>(text, file, layout, piece).read(time_ns, values);
  else
    RowReader<'.'>(text, file, layout, piece).read(time_ns, values);
}

std::size_t line_number(const char* text, const CsvPiece& piece, std::size_t line_begin) {
  return piece.first_line +
         static_cast<std::size_t>(std::count(text + piece.begin, text + line_begin, '\n'));
}

}  // namespace secondlook
