#include "series/csv_header.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/validation.hpp"
#include "series/csv_quotes.hpp"
#include "series/shown_text.hpp"
#include "series/time_stamp.hpp"

namespace secondlook {

namespace {

// Number of lines that are searched for the header, and for decimals.
constexpr std::size_t kMaxLines = 200;

// Separate from the loop over names, because formatting names takes longer than checking them.
template <class... Args>
[[noreturn]] void fail_name(const std::string& file, std::size_t line, std::size_t field,
                            fmt::format_string<Args...> format, Args&&... args) {
  throw InvalidArgument(fmt::format("read_csv: {}:{}:{}: {}", file, line, field + 1,
                                    fmt::format(format, std::forward<Args>(args)...)));
}

// A line, split into fields; quoted fields may contain line ends.
struct Line {
  std::vector<std::string> fields;
  std::size_t end = 0;  // index of the next line
  QuotedEnd::Fault fault = QuotedEnd::Fault::none;
  std::size_t faulty_field = 0;
};

Line split_line(std::string_view text, std::size_t begin, char delimiter) {
  Line line;
  const char* p = text.data() + begin;
  const char* text_end = text.data() + text.size();
  for (;; ++p) {
    while (is_space(*p) && *p != delimiter) ++p;
    if (*p == '"' && p < text_end) {
      const QuotedEnd quoted = find_quoted_end(p, text_end, delimiter);
      if (quoted.fault != QuotedEnd::Fault::none && line.fault == QuotedEnd::Fault::none) {
        line.fault = quoted.fault;
        line.faulty_field = line.fields.size();
      }
      line.fields.push_back(unquoted({p + 1, quoted.close}));
      p = quoted.end;
    } else {
      const char* start = p;
      while (*p != delimiter && *p != '\n') ++p;
      std::string_view field(start, static_cast<std::size_t>(p - start));
      while (*p == '\n' && field.ends_with('\r')) field.remove_suffix(1);
      line.fields.emplace_back(trim(field));
    }
    if (*p == '\n') break;
  }
  line.end = std::min(static_cast<std::size_t>(p - text.data()) + 1, text.size());
  return line;
}

bool is_blank_at(std::string_view text, std::size_t i) {
  return text[i] == '\n' || text[i] == '\r';
}

std::size_t skip_blank(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_blank_at(text, begin)) ++begin;
  return begin;
}

std::size_t count_lines(std::string_view text, std::size_t end) {
  return static_cast<std::size_t>(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
}

char guess_delimiter(std::string_view line, std::optional<char> decimal) {
  char best = decimal == ',' ? ';' : ',';
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    if (candidate == decimal) continue;
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

// Notation of a number: digits with a point or a comma, after an optional sign and before an
// optional exponent.
enum class Notation {
  other,  // not a number
  whole,
  point,    // 21.5
  comma,    // 21,5
  grouped,  // 3,301: a comma that may separate thousands
};

Notation notation_of(std::string_view field) {
  if (!field.empty() && (field[0] == '-' || field[0] == '+')) field.remove_prefix(1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto digits = [&](std::string_view text) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
  };
  const std::size_t before = digits(field);
  if (before == field.size()) return before > 0 ? Notation::whole : Notation::other;
  const char mark = field[before];
  if (mark == 'e' || mark == 'E') return before > 0 ? Notation::whole : Notation::other;
  std::string_view rest = field.substr(before + 1);
  const std::size_t behind = digits(rest);
  rest.remove_prefix(behind);
  const bool ends = rest.empty() || rest[0] == 'e' || rest[0] == 'E';
  if ((mark != '.' && mark != ',') || !ends || before + behind == 0) return Notation::other;
  if (mark == '.') return Notation::point;
  const bool grouped = behind == 3 && before >= 1 && before <= 3 && field[0] != '0';
  return grouped && rest.empty() ? Notation::grouped : Notation::comma;
}

bool is_value(const std::string& field) {
  return notation_of(field) != Notation::other || parse_time_stamp(field) ||
         parse_time_of_day(field);
}

bool names_a_time(const std::string& name) {
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower == "t") return true;
  for (const std::string_view word :
       {"time", "date", "stamp", "zeit", "datum", "heure", "fecha", "hora", "data/ora"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

// Whether a line may be a header; a line of readings may not.
bool may_be_header(const std::vector<std::string>& fields) {
  return !is_value(fields[0]) &&
         (names_a_time(fields[0]) || std::ranges::none_of(fields, is_value));
}

class HeaderFinder {
 public:
  HeaderFinder(std::string_view text, const CsvOptions& options) : text_(text), options_(options) {
    for (const std::string* name :
         {&options.time_column, &options.time_of_day_column, &options.millisecond_column})
      if (!name->empty()) wanted_.push_back(*name);
    if (!options.time_column.empty())
      wanted_.insert(wanted_.end(), options.columns.begin(), options.columns.end());
  }

  // Index of the header; `first` is that of the first line that is not empty.
  [[nodiscard]] std::size_t find(std::size_t first) {
    bool after_blank = false;
    for (std::size_t begin = first; above_.size() < kMaxLines && begin < text_.size();) {
      Above line{begin, split_line(text_, begin, delimiter_at(begin)), after_blank};
      if (is_header(line)) return is_best(line) ? begin : first;
      begin = skip_blank(text_, line.content.end);
      after_blank = begin != line.content.end;
      above_.push_back(std::move(line));
    }
    return first;
  }

  [[nodiscard]] char delimiter_at(std::size_t begin) const {
    return options_.delimiter ? *options_.delimiter
                              : guess_delimiter(text_.substr(begin), options_.decimal);
  }

 private:
  struct Above {
    std::size_t begin;
    Line content;
    bool after_blank;
  };

  [[nodiscard]] bool is_header(const Above& line) const {
    const std::vector<std::string>& names = line.content.fields;
    if (!wanted_.empty()) {
      const auto is_present = [&](const std::string& name) {
        return std::ranges::find(names, name) != names.end();
      };
      if (!options_.time_column.empty()) return std::ranges::all_of(wanted_, is_present);
      if (!std::ranges::all_of(wanted_, is_present)) return false;
    }
    if (names.size() < 2 || !(above_.empty() || may_be_header(names))) return false;
    const std::size_t next = skip_blank(text_, line.content.end);
    if (next == text_.size()) return false;
    const Line below = split_line(text_, next, delimiter_at(line.begin));
    return below.fields.size() == names.size() && parse_time_stamp(below.fields[0]).has_value();
  }

  // Whether none of the lines above is a better header. Of two candidates, the one that names a
  // time is the header, otherwise the one that no empty line separates from the readings.
  [[nodiscard]] bool is_best(const Above& line) const {
    if (!options_.time_column.empty()) return true;
    const std::vector<std::string>& names = line.content.fields;
    const bool named = names_a_time(names[0]);
    bool apart = line.after_blank;
    for (auto other = above_.rbegin(); other != above_.rend(); ++other) {
      const std::vector<std::string>& fields = other->content.fields;
      if (fields.size() == names.size() && may_be_header(fields)) {
        const bool other_named = names_a_time(fields[0]);
        if (named == other_named ? !apart : other_named) return false;
      }
      apart |= other->after_blank;
    }
    return true;
  }

  std::string_view text_;
  const CsvOptions& options_;
  std::vector<std::string> wanted_;
  std::vector<Above> above_;
};

std::size_t line_at(std::string_view text, std::size_t begin, std::size_t index,
                    const std::string& file) {
  for (std::size_t i = 0; i < index; ++i) {
    const std::size_t line_end = text.find('\n', begin);
    require(line_end != std::string_view::npos && line_end + 1 < text.size(),
            "read_csv: {}: expected a header at line index {}, got a file of {} lines", file, index,
            i + 1);
    begin = line_end + 1;
  }
  require(begin < text.size() && !is_blank_at(text, begin),
          "read_csv: {}: expected a header at line index {}, got an empty line", file, index);
  return begin;
}

void check_names(const CsvHeader& header, const std::string& file) {
  std::unordered_map<std::string_view, std::size_t> columns;
  for (std::size_t i = 0; i < header.names.size(); ++i) {
    const std::string& name = header.names[i];
    if (!is_utf8(name))
      fail_name(file, header.line, i,
                "expected a name in UTF-8, got '{}'; pass the encoding, such as encoding='cp1252'",
                shown(name));
    if (name.find('\0') != std::string::npos)
      fail_name(file, header.line, i, "expected a name, got '{}' with NUL bytes", shown(name));
    if (name.empty()) continue;
    const auto [column, is_new] = columns.try_emplace(name, i + 1);
    if (!is_new)
      fail_name(file, header.line, i, "expected unique names, but '{}' is already column {}",
                shown(name), column->second);
  }
}

}  // namespace

CsvHeader read_csv_header(std::string_view text, const CsvOptions& options,
                          const std::string& file) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  const std::size_t start = text.starts_with(kUtf8Mark) ? kUtf8Mark.size() : 0;
  const std::size_t first = skip_blank(text, start);
  require(first < text.size(), "read_csv: {}: expected a header, got an empty file", file);

  HeaderFinder finder(text, options);
  const std::size_t begin =
      options.header_line ? line_at(text, start, *options.header_line, file) : finder.find(first);
  CsvHeader header;
  header.delimiter = finder.delimiter_at(begin);
  header.line = count_lines(text, begin) + 1;
  Line line = split_line(text, begin, header.delimiter);
  require(line.fault != QuotedEnd::Fault::unclosed,
          "read_csv: {}:{}: expected a closing quote in the header", file, header.line);
  require(line.fault != QuotedEnd::Fault::trailing,
          "read_csv: {}:{}: expected nothing after the closing quote of '{}'", file, header.line,
          shown(line.fields[line.faulty_field]));
  header.names = std::move(line.fields);
  header.end = line.end;
  header.n_lines = count_lines(text, header.end);
  check_names(header, file);
  header.decimal = options.decimal.value_or('.');
  header.decimal_is_known = options.decimal.has_value() || header.delimiter == ',';
  find_decimal(text, header);
  return header;
}

void find_decimal(std::string_view text, CsvHeader& header) {
  std::size_t begin = skip_blank(text, header.end);
  // A single one may be a typing error.
  constexpr int kEnough = 2;
  int n_commas = 0;
  for (std::size_t n = 0; !header.decimal_is_known && n < kMaxLines && begin < text.size(); ++n) {
    const Line line = split_line(text, begin, header.delimiter);
    for (const std::string& field : line.fields) {
      const Notation notation = notation_of(field);
      n_commas += notation == Notation::comma ? 1 : 0;
      header.decimal_is_known |= notation == Notation::point;
    }
    begin = skip_blank(text, line.end);
  }
  if (header.decimal_is_known || n_commas < kEnough) return;
  header.decimal = ',';
  header.decimal_is_known = true;
}

}  // namespace secondlook
