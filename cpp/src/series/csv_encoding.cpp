#include "series/csv_encoding.hpp"

#include <algorithm>
#include <cstdint>

#include "core/validation.hpp"

namespace secondlook {

namespace {

void append(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
  const auto tail = [&](unsigned shift) { byte(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    tail(6);
  } else {
    byte(0xF0 | code >> 18);
    tail(12);
    tail(6);
  }
  tail(0);
}

std::string from_latin1(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) append(text, static_cast<unsigned char>(c));
  return text;
}

std::string from_utf16(std::string_view bytes, bool big_endian, const std::string& file) {
  require(bytes.size() % 2 == 0, "read_csv: {}: expected UTF-16, got an odd number of bytes", file);
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  std::string text;
  text.reserve(bytes.size() / 2 + bytes.size() / 16);
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const std::uint32_t code = unit(i);
    if (code < 0xD800 || code > 0xDFFF) {
      append(text, code);
      continue;
    }
    const std::uint32_t low = i + 2 < bytes.size() ? unit(i + 2) : 0;
    require(code < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF,
            "read_csv: {}: expected UTF-16, got half a surrogate pair at byte {}", file, i);
    append(text, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
    i += 2;
  }
  return text;
}

}  // namespace

std::optional<std::string> to_utf8(std::string_view bytes, CsvEncoding encoding,
                                   std::size_t n_behind, const std::string& file) {
  const bool little = bytes.starts_with("\xFF\xFE");
  const bool big = bytes.starts_with("\xFE\xFF");
  if (encoding == CsvEncoding::automatic)
    encoding = little || big ? CsvEncoding::utf16 : CsvEncoding::utf8;
  std::string text;
  switch (encoding) {
    case CsvEncoding::latin1:
      if (std::ranges::all_of(bytes, [](char c) { return static_cast<signed char>(c) >= 0; }))
        return std::nullopt;
      text = from_latin1(bytes);
      break;
    case CsvEncoding::utf16:
      text = from_utf16(bytes.substr(little || big ? 2 : 0), big, file);
      break;
    case CsvEncoding::utf16_le:
      text = from_utf16(bytes.substr(little ? 2 : 0), false, file);
      break;
    case CsvEncoding::utf16_be:
      text = from_utf16(bytes.substr(big ? 2 : 0), true, file);
      break;
    default:
      require(!little && !big,
              "read_csv: {}: expected UTF-8, got UTF-16; use encoding='utf-16' or leave it out",
              file);
      return std::nullopt;
  }
  text.append(n_behind, '\n');
  return text;
}

void unify_line_ends(char* text, std::size_t size) {
  bool quoted = false;
  char* p = text;
  char* end = text + size;
  for (; p < end && (quoted || (*p != '\n' && *p != '\r')); ++p)
    if (*p == '"') quoted = !quoted;
  if (p == end) p = std::find(text, end, std::find(text, end, '\n') == end ? '\r' : '\n');
  // An LF follows the text, so a CR at its very end does not tell which line ends are used.
  if (p + 1 >= end || *p != '\r' || p[1] == '\n') return;
  for (p = text; p < end; ++p)
    if (*p == '\r' && (p + 1 == end || p[1] != '\n')) *p = '\n';
}

}  // namespace secondlook
