#include "series/csv_quotes.hpp"

#include <algorithm>
#include <cstring>

#include "series/shown_text.hpp"

namespace secondlook {

namespace {

constexpr std::ptrdiff_t kMaxBytes = 64 * 1024;

const char* find(const char* begin, const char* end, char c) {
  const auto n = static_cast<std::size_t>(end - begin);
  const void* found = begin < end ? std::memchr(begin, c, n) : nullptr;
  return found != nullptr ? static_cast<const char*>(found) : end;
}

const char* field_end(const char* p, char delimiter) {
  while (*p != delimiter && *p != '\n') ++p;
  return p;
}

}  // namespace

QuotedEnd find_quoted_end(const char* quote, const char* end, char delimiter) {
  const char* stop = std::min(end, quote + std::min(end - quote, kMaxBytes));
  const char* close = find(quote + 1, stop, '"');
  while (close < stop && close[1] == '"') close = find(close + 2, stop, '"');
  const char* line_end = find(quote, end, '\n');
  if (close < stop) {
    const char* p = close + 1;
    while (is_space(*p) && *p != delimiter) ++p;
    const bool several = line_end < close;
    if (*p == '\r' && p[1] == '\n') ++p;
    if (*p == delimiter || *p == '\n') return {close, p, QuotedEnd::Fault::none, several};
    if (!several) return {close, field_end(p, delimiter), QuotedEnd::Fault::trailing, false};
  }
  return {line_end, line_end, QuotedEnd::Fault::unclosed, false};
}

std::string unquoted(std::string_view quoted) {
  std::string text;
  text.reserve(quoted.size());
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    text += quoted[i];
    if (quoted[i] == '"') ++i;
  }
  return text;
}

std::vector<QuotedLines> find_quoted_lines(std::string_view text, char delimiter) {
  std::vector<QuotedLines> found;
  const char* begin = text.data();
  const char* end = begin + text.size();
  for (const char* p = find(begin, end, '"'); p < end; p = find(p, end, '"')) {
    const char* before = p;
    while (before > begin && is_space(before[-1]) && before[-1] != delimiter) --before;
    if (before > begin && before[-1] != delimiter && before[-1] != '\n') {
      ++p;  // inside a field that does not begin with a quote
      continue;
    }
    const QuotedEnd field = find_quoted_end(p, end, delimiter);
    if (field.several_lines)
      found.push_back(
          {static_cast<std::size_t>(p - begin), static_cast<std::size_t>(field.end - begin)});
    p = field.end;
  }
  return found;
}

}  // namespace secondlook
