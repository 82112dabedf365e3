#include "series/csv_encoding.hpp"

#include <string>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::CsvEncoding;
using secondlook::to_utf8;
using secondlook::unify_line_ends;

TEST_CASE("to_utf8: every encoding of the same text") {
  using namespace std::string_literals;
  const std::string utf8 = "t [°C]\U0001F50B\n";  // a character of one, two and four bytes
  const auto [bytes, encoding] = GENERATE(table<std::string, CsvEncoding>({
      {"\xFF\xFEt\0 \0[\0\xB0\0C\0]\0\x3D\xD8\x0B\xDD\n\0"s, CsvEncoding::automatic},
      {"\xFF\xFEt\0 \0[\0\xB0\0C\0]\0\x3D\xD8\x0B\xDD\n\0"s, CsvEncoding::utf16},
      {"\xFE\xFF\0t\0 \0[\0\xB0\0C\0]\xD8\x3D\xDD\x0B\0\n"s, CsvEncoding::utf16},
      {"t\0 \0[\0\xB0\0C\0]\0\x3D\xD8\x0B\xDD\n\0"s, CsvEncoding::utf16_le},
      {"\0t\0 \0[\0\xB0\0C\0]\xD8\x3D\xDD\x0B\0\n"s, CsvEncoding::utf16_be},
  }));
  REQUIRE(to_utf8(bytes, encoding, 2, "f") == utf8 + "\n\n");
  REQUIRE(to_utf8("t [\xB0 C]", CsvEncoding::latin1, 1, "f") == "t [° C]\n");
}

TEST_CASE("to_utf8: UTF-8 and ASCII need no conversion") {
  REQUIRE_FALSE(to_utf8("t [°C]", CsvEncoding::automatic, 1, "f"));
  REQUIRE_FALSE(to_utf8("t [°C]", CsvEncoding::utf8, 1, "f"));
  REQUIRE_FALSE(to_utf8("t", CsvEncoding::latin1, 1, "f"));
}

TEST_CASE("to_utf8: bytes of another encoding are an error") {
  using secondlook::InvalidArgument;
  REQUIRE_THROWS_AS(to_utf8("abc", CsvEncoding::utf16_le, 1, "f"), InvalidArgument);
  REQUIRE_THROWS_AS(to_utf8("\x3D\xD8", CsvEncoding::utf16_le, 1, "f"), InvalidArgument);
  REQUIRE_THROWS_AS(to_utf8("\x0B\xDD", CsvEncoding::utf16_le, 1, "f"), InvalidArgument);
  REQUIRE_THROWS_WITH(to_utf8("\xFF\xFE", CsvEncoding::utf8, 1, "f"),
                      Catch::Matchers::Contains("f: expected UTF-8, got UTF-16"));
}

TEST_CASE("unify_line_ends: only if the first line ends in a single CR") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"a\r1\r2", "a\n1\n2"},
      {"\"a\rb\"\r1\r\n2\r", "\"a\nb\"\n1\r\n2\n"},
      {"5\" pipe\r1\r", "5\" pipe\n1\n"},
      {"a\r\r\n1\r\r\n", "a\n\r\n1\n\r\n"},
      {"a\n1\r2\n", "a\n1\r2\n"},
      {"a\r\n1\r2\r\n", "a\r\n1\r2\r\n"},
      {"a\r", "a\r"},
      {"", ""},
  }));
  std::string unified = text;
  unify_line_ends(unified.data(), unified.size());
  REQUIRE(unified == expected);
}
