#include "series/csv_header.hpp"

#include <string>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::CsvHeader;
using secondlook::CsvOptions;

namespace {

CsvHeader header_of(std::string text, const CsvOptions& options = {}) {
  const std::size_t size = text.size();
  text += '\n';
  return secondlook::read_csv_header(std::string_view(text).substr(0, size), options, "f");
}

const std::string kRows = "2026-03-01 10:00:00,3301\n2026-03-01 10:00:10,3302\n";

}  // namespace

TEST_CASE("read_csv_header: below other lines that a logger writes") {
  const auto [above, line] = GENERATE(table<std::string, std::size_t>({
      {"", 1},
      {"\n\r\n", 3},
      {"Logger EMS-7\n", 2},
      {"Logger,EMS-7\nSerial,00042\nInterval,10 s\n\n", 5},
      {"Logger,EMS-7\nSerial,00042\n", 3},
      {"# site: 5\" pipe\n# a;b;c\n\n\n", 5},
      {"Logger,\"EMS\n7\"\n", 3},
      {"Start,2026-03-01 10:00:00\n", 2},
  }));
  CAPTURE(above);
  const CsvHeader header = header_of(above + "time,cell 1\n" + kRows);
  REQUIRE(header.names == std::vector<std::string>{"time", "cell 1"});
  REQUIRE(header.line == line);
}

TEST_CASE("read_csv_header: an empty line separates names that do not mention time") {
  REQUIRE(header_of("Logger,EMS-7\n\nwhen,cell 1\n" + kRows).names[0] == "when");
  REQUIRE(header_of("Logger,EMS-7\nwhen,cell 1\n" + kRows).names[0] == "Logger");
}

TEST_CASE("read_csv_header: a first reading without a time does not become the header") {
  for (const std::string first : {"yesterday,1\n", "yesterday,x\n", "\nyesterday,x\n"})
    REQUIRE(header_of("t,a\n" + first + kRows).names[0] == "t");
}

TEST_CASE("read_csv_header: the line with the requested columns") {
  CsvOptions options;
  options.time_column = "when";
  options.columns = {"cell"};
  REQUIRE(header_of("Logger,when\n1,2,3\ncell,note,when\n", options).line == 3);
}

TEST_CASE("read_csv_header: at a given index") {
  CsvOptions options;
  options.header_line = 2;
  REQUIRE(header_of("a,b\n\nc,d\n" + kRows, options).names[0] == "c");
  REQUIRE_THROWS_WITH(header_of("a,b\n", options),
                      "read_csv: f: expected a header at line index 2, got a file of 1 lines");
  options.header_line = 1;
  REQUIRE_THROWS_WITH(header_of("a,b\n\nc,d\n", options),
                      "read_csv: f: expected a header at line index 1, got an empty line");
}

TEST_CASE("read_csv_header: the decimal separator that the first lines require") {
  const auto [text, decimal, known] = GENERATE(table<std::string, char, bool>({
      {"t;a;b\n2026-03-01;0,301;3,301\n2026-03-02;1,5;3,302\n", ',', true},
      {"t;a;b\n2026-03-01;-1,5E+03;,5\n", ',', true},
      {"t;a\n2026-03-01;21,5\n", '.', false},   // a single one may be a typing error
      {"t;a\n2026-03-01;3,301\n", '.', false},  // or three thousand
      {"t;a;b\n2026-03-01;21,5;3.5\n", '.', true},
      {"t;a\n2026-03-01;21\n", '.', false},
      {"t,a\n2026-03-01,21\n", '.', true},
  }));
  CAPTURE(text);
  const CsvHeader header = header_of(text);
  REQUIRE(header.decimal == decimal);
  REQUIRE(header.decimal_is_known == known);
}
