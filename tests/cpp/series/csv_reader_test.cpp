#include "secondlook/series/csv_reader.hpp"

#include <cmath>
#include <string>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::CsvContents;
using secondlook::CsvOptions;
using secondlook::parse_csv;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'623'355'208 * kSecond;  // 2021-06-10 20:00:08

CsvOptions lenient() {
  CsvOptions options;
  options.strict = false;
  return options;
}

bool is_nan(const CsvContents& contents, int row, int column) {
  return std::isnan(contents.table.values(row, column));
}

}  // namespace

TEST_CASE("read_csv: the plain export of a battery system") {
  CsvOptions options;
  options.millisecond_column = "MCGS_TIMEMS";
  const CsvContents contents = parse_csv(
      "\"MCGS_TIME\",\"MCGS_TIMEMS\",\"v1\",\"v2\"\n"
      "2021/06/10 20:00:08,689,3389.000000,-0.5\n"
      "2021/06/10 20:00:18,688,,1e-3\n",
      options);
  REQUIRE(contents.table.columns == std::vector<std::string>{"v1", "v2"});
  REQUIRE(contents.table.time_ns ==
          std::vector<std::int64_t>{kStart + 689'000'000, kStart + 10 * kSecond + 688'000'000});
  REQUIRE_FALSE(contents.table.is_utc);
  REQUIRE(contents.table.values(0, 0) == 3389);
  REQUIRE(contents.table.values(0, 1) == -0.5);
  REQUIRE(is_nan(contents, 1, 0));
  REQUIRE(contents.table.values(1, 1) == 1e-3);
}

TEST_CASE("read_csv: the same table however it is written") {
  const std::string text =
      GENERATE("t,a,b\n2021-06-10 20:00:08,1,2.5\n", "t,a,b\r\n2021-06-10 20:00:08,1,2.5\r\n",
               "t;a;b\n2021-06-10 20:00:08;1;2.5", "t\ta\tb\n2021-06-10T20:00:08\t1\t2.5\n",
               "\xEF\xBB\xBFt|a|b\n\n2021/6/10 20:00:08.000|+1|25e-1\n\n",
               "\"t\" , \"a\",b \r\n\"2021-06-10 20:00:08\",\"1\" , 2.50000000000000000000\r\n\r\n",
               "t,a,b,\n2021-06-10 20:00:08,1.,2.5,\n");
  CAPTURE(text);
  const CsvContents contents = parse_csv(text);
  REQUIRE(contents.table.columns == std::vector<std::string>{"a", "b"});
  REQUIRE(contents.table.time_ns == std::vector<std::int64_t>{kStart});
  REQUIRE(contents.table.values(0, 0) == 1);
  REQUIRE(contents.table.values(0, 1) == 2.5);
}

TEST_CASE("read_csv: quoted names may hold anything") {
  const CsvContents contents = parse_csv(
      "t,\"a,\"\"b\"\"\n\",c\n2021-06-10 20:00:08,1,2\n2021-06-10 20:00:09,1,x\n", lenient());
  REQUIRE(contents.table.columns == std::vector<std::string>{"a,\"b\"\n", "c"});
  REQUIRE(contents.problems.at(0).line == 4);
}

TEST_CASE("read_csv: words for nothing") {
  const std::string word = GENERATE("", " ", "nan", "NaN", "NULL", "N/A", "none", "-nan", "\"\"");
  REQUIRE(is_nan(parse_csv("t,a\n2021-06-10 20:00:08," + word + "\n"), 0, 0));
}

TEST_CASE("read_csv: times that state an offset come in UTC") {
  const CsvContents contents = parse_csv(
      "t,a\n2021-06-11T04:00:08+08:00,1\n2021-06-10T20:00:09Z,2\n2021-06-10 15:30:10.5-0430,3\n");
  REQUIRE(contents.table.is_utc);
  REQUIRE(contents.table.time_ns ==
          std::vector<std::int64_t>{kStart, kStart + kSecond, kStart + 2 * kSecond + kSecond / 2});
  CsvOptions options;
  options.utc_offset_minutes = 480;
  REQUIRE(parse_csv("t,a\n2021-06-11 04:00:08,1\n", options).table.time_ns ==
          std::vector<std::int64_t>{kStart});
  REQUIRE_THROWS_AS(parse_csv("t,a\n2021-06-11T04:00:08Z,1\n2021-06-11T04:00:09,1\n"),
                    secondlook::InvalidArgument);
}

TEST_CASE("read_csv: strict reading names the place and what came") {
  const auto [text, message] = GENERATE(table<std::string, std::string>({
      {"t,a\n2021-06-10 20:00:08,1\n2021-06-10 20:00:09,x1\n",
       "read_csv: text:3:2: expected a number in column 'a', got 'x1'"},
      {"t,a\n2021-06-31 20:00:08,1\n",
       "read_csv: text:2:1: expected a time such as 2021-06-10 20:00:08 in column 't', got "
       "'2021-06-31 20:00:08'"},
      {"t,a\n2021-06-10 20:00:08\n", "read_csv: text:2: expected 2 fields, got 1"},
      {"t,a\n2021-06-10 20:00:08,1,,3\n", "read_csv: text:2: expected 2 fields, got 4"},
      {"t,a\n2021-06-10 20:00:08,inf\n",
       "read_csv: text:2:2: expected a number in column 'a', got 'inf'"},
      {"t,a\n2021-06-10 20:00:08,1e999\n",
       "read_csv: text:2:2: expected a number in column 'a', got '1e999'"},
      {"t,a\n2021-06-10 20:00:08,\"1\n",
       "read_csv: text:2:2: expected a closing quote in the line in column 'a', got '1'"},
      {"t,a\n2021-06-10 20:00:08,\"1\"2\n",
       "read_csv: text:2:2: expected nothing behind a closing quote in column 'a', got '1'"},
      {"t,a\n2021-06-10 20:00:08,\xff\x01\n",
       "read_csv: text:2:2: expected a number in column 'a', got '\\xff\\x01'"},
      {"", "read_csv: text: expected a header, got an empty file"},
      {"\n\n", "read_csv: text: expected a header, got an empty file"},
      {"t,a,a\n", "read_csv: text:1:3: expected different names, 'a' is column 2 already"},
      {"t\n", "read_csv: text: expected columns of readings, got only 't'"},
      {"t,\"a\n", "read_csv: text:1: expected a closing quote in the header"},
      {"\xff\xfet", "read_csv: text: expected UTF-8, got UTF-16"},
      {"t,\xff\n", "read_csv: text:1:2: expected a name in UTF-8, got '\\xff'"},
  }));
  REQUIRE_THROWS_WITH(parse_csv(text), message);
}

TEST_CASE("read_csv: lenient reading keeps what it can and lists the rest") {
  const CsvContents contents = parse_csv(
      "t,a,b\n"
      "2021-06-10 20:00:08,x,2\n"
      "2021-06-10 20:00:09,3\n"
      "yesterday,4,5\n"
      "2021-06-10 20:00:10,6,7,8\n",
      lenient());
  REQUIRE(contents.table.time_ns.size() == 3);
  REQUIRE(is_nan(contents, 0, 0));
  REQUIRE(contents.table.values(0, 1) == 2);
  REQUIRE(contents.table.values(1, 0) == 3);
  REQUIRE(is_nan(contents, 1, 1));
  REQUIRE(contents.table.values(2, 1) == 7);
  REQUIRE(contents.n_problems == 4);
  REQUIRE(contents.problems[2].line == 4);
  REQUIRE(contents.problems[2].column == 1);
  REQUIRE(contents.problems[3].message == "expected 3 fields, got 4");
}

TEST_CASE("read_csv: problems are counted beyond those listed") {
  std::string text = "t,a\n";
  for (int i = 0; i < 1000; ++i) text += "2021-06-10 20:00:08,x\n";
  const CsvContents contents = parse_csv(text, lenient());
  REQUIRE(contents.n_problems == 1000);
  REQUIRE(contents.problems.size() == 100);
}

TEST_CASE("read_csv: rows are sorted and equal times joined, the later reading counts") {
  const CsvContents contents = parse_csv(
      "t,a,b\n"
      "2021-06-10 20:00:10,5,6\n"
      "2021-06-10 20:00:08,1,2\n"
      "2021-06-10 20:00:08,,3\n");
  REQUIRE(contents.table.time_ns == std::vector<std::int64_t>{kStart, kStart + 2 * kSecond});
  REQUIRE(contents.table.values(0, 0) == 1);
  REQUIRE(contents.table.values(0, 1) == 3);
  REQUIRE(contents.n_repeated_times == 1);
  REQUIRE(contents.n_out_of_order == 1);
}

TEST_CASE("read_csv: columns are chosen by name") {
  CsvOptions options;
  options.time_column = "time";
  options.columns = {"c", "a"};
  const CsvContents contents = parse_csv("a,text,time,c\n1,on,2021-06-10,3\n", options);
  REQUIRE(contents.table.values(0, 0) == 3);
  REQUIRE(contents.table.values(0, 1) == 1);
  options.columns = {"d"};
  REQUIRE_THROWS_WITH(parse_csv("a,time\n", options),
                      "read_csv: text: expected a column 'd', got the columns 'a', 'time'");
  options.time_column = "when";
  REQUIRE_THROWS_WITH(parse_csv("a,time\n", options),
                      "read_csv: text: expected a time column 'when', got the columns 'a', 'time'");
}

TEST_CASE("read_csv: pieces of a large text make one table") {
  std::string text = "t,a\n";
  constexpr int kRows = 200'000;  // several pieces
  for (int i = 0; i < kRows; ++i) {
    char line[64];
    std::snprintf(line, sizeof line, "2021-06-%02d %02d:%02d:%02d,%d\n", 1 + i / 86400,
                  i / 3600 % 24, i / 60 % 60, i % 60, i);
    text += line;
  }
  const CsvContents contents = parse_csv(text);
  REQUIRE(contents.table.time_ns.size() == kRows);
  bool equal = true;
  for (int i = 0; i < kRows; ++i) equal = equal && contents.table.values(i, 0) == i;
  REQUIRE(equal);
  REQUIRE_THROWS_WITH(parse_csv(text + "x"),
                      Catch::Matchers::Contains("text:200002:1: expected a time"));
}

TEST_CASE("read_csv: lines of one minute without seconds are spread over it") {
  CsvOptions options;
  options.millisecond_column = "ms";
  const CsvContents contents = parse_csv(
      "t,ms,a\n2021-06-10 20:00,8,1\n2021-06-10 20:00,8,2\n2021-06-10 20:00,7,3\n"
      "2021-06-10 20:01,5,4\n2021-06-10 20:02:30,5,5\n",
      options);
  constexpr std::int64_t kMinute = kStart - 8 * kSecond;
  REQUIRE(contents.table.time_ns == std::vector<std::int64_t>{kMinute + 8'000'000,
                                                              kMinute + 20 * kSecond + 8'000'000,
                                                              kMinute + 40 * kSecond + 7'000'000,
                                                              kMinute + 60 * kSecond + 5'000'000,
                                                              kMinute + 150 * kSecond + 5'000'000});
  REQUIRE(contents.n_spread_times == 3);
  REQUIRE(contents.n_repeated_times == 0);
}
