#include "series/csv_quotes.hpp"

#include <string>

#include "catch.hpp"

using secondlook::find_quoted_end;
using secondlook::find_quoted_lines;
using secondlook::QuotedEnd;

namespace {

// End of the quoted field at the start of the text, as the text after it.
std::pair<QuotedEnd, std::string> end_of(const std::string& text) {
  const std::string padded = text + "\n";
  const QuotedEnd found = find_quoted_end(padded.data(), padded.data() + text.size(), ',');
  return {found, {found.end, padded.data() + text.size()}};
}

}  // namespace

TEST_CASE("find_quoted_end: the first quote that is not doubled, if the field ends after it") {
  const auto [text, rest, several] = GENERATE(table<std::string, std::string, bool>({
      {"\"a\",b", ",b", false},
      {"\"\",b", ",b", false},
      {"\"a\"\"b\" ,c", ",c", false},
      {"\"a,b\"", "", false},
      {"\"a\"\r\nb", "\nb", false},
      {"\"a\nb\",c", ",c", true},
      {"\"a\r\n\"\"b\"\"\n\"\nc", "\nc", true},
  }));
  const auto [found, behind] = end_of(text);
  REQUIRE(found.fault == QuotedEnd::Fault::none);
  REQUIRE(found.several_lines == several);
  REQUIRE(behind == rest);
}

TEST_CASE("find_quoted_end: a quote that is never closed affects only one line") {
  const std::string text =
      GENERATE(as<std::string>{}, "\"a,1\nb,2\n", "\"a,1\nb,\"2\"", "\"a,1\n\"b\"c,2\n",
               "\"a,1\n" + std::string(70'000, 'x') + "\",b");
  const auto [found, behind] = end_of(text);
  REQUIRE(found.fault == QuotedEnd::Fault::unclosed);
  REQUIRE(behind == text.substr(4));
}

TEST_CASE("find_quoted_end: text after a closing quote") {
  const auto [found, behind] = end_of("\"a\"b,c\nd");
  REQUIRE(found.fault == QuotedEnd::Fault::trailing);
  REQUIRE(behind == ",c\nd");
}

TEST_CASE("find_quoted_lines: exactly the fields that span several lines") {
  const std::string text = "1,\"a\nb\",2\n\"c\",\"d\"\n5\" pipe,\"e\n 3, \"f\n\",4\n\"open,\n";
  const auto found = find_quoted_lines(text + "\n", ',');
  std::vector<std::string> fields;
  for (const auto& [begin, end] : found) fields.push_back(text.substr(begin, end - begin));
  REQUIRE(fields == std::vector<std::string>{"\"a\nb\"", "\"f\n\""});
}
