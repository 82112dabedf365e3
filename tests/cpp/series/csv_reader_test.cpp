#include "secondlook/series/csv_reader.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "temporary_folder.hpp"

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

TEST_CASE("read_csv: the same table in different notations") {
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

TEST_CASE("read_csv: the same table in lines that end in CR, other encodings, decimals, columns") {
  using namespace std::string_literals;
  CsvOptions comma, split, utf16;
  comma.decimal = ',';
  split.time_column = "d";
  split.time_of_day_column = "t";
  utf16.encoding = secondlook::CsvEncoding::utf16_le;
  std::string wide;
  for (const char c : "t;a;b\r\n2021-06-10 20:00:08;1,;2,5\r\n"s) wide += {c, '\0'};
  const auto [text, options] = GENERATE_REF(table<std::string, CsvOptions>({
      {"t,a,b\r2021-06-10 20:00:08,1,2.5\r", {}},
      {"t;a;b\n2021-06-10 20:00:08;1,0;2,5\n", {}},
      {"t;a;b\n2021-06-10 20:00:08;1;2,5\n", comma},
      {"t\ta\tb\n2021-06-10 20:00:08\t\"1,0\"\t+0,25e1\n", {}},
      {wide, utf16},
      {"\xFF\xFE" + wide, {}},
      {"d,t,a,b\n2021-06-10,20:00:08,1,2.5\n", split},
      {"a,t,b,d\n1,20:00:08.0,2.5,2021/6/10\n", split},
      {"a,t,b,d\n1,20:00:08,2.5,2021-06-10 00:00:00\n", split},
  }));
  CAPTURE(text);
  const CsvContents contents = parse_csv(text, options);
  REQUIRE(contents.table.columns == std::vector<std::string>{"a", "b"});
  REQUIRE(contents.table.time_ns == std::vector<std::int64_t>{kStart});
  REQUIRE(contents.table.values(0, 0) == 1);
  REQUIRE(contents.table.values(0, 1) == 2.5);
  REQUIRE(contents.n_lines == 1);
}

TEST_CASE("read_csv: 24:00 is 00:00 of the next day") {
  const std::string time = GENERATE(as<std::string>{}, "2021-06-10 24:00", "2021-06-10T24:00:00.0",
                                    "2021-06-11 08:00+08:00", "2021-06-10 24:00Z");
  const std::int64_t midnight = kStart - 8 * kSecond + 4 * 3600 * kSecond;
  REQUIRE(parse_csv("t,a\n" + time + ",1\n").table.time_ns[0] == midnight);
  for (const char* later : {"24:00:01", "24:01", "24:00:00.1", "25:00"})
    REQUIRE_THROWS_AS(parse_csv("t,a\n2021-06-10 " + std::string(later) + ",1\n"),
                      secondlook::InvalidArgument);
}

TEST_CASE("read_csv: a quoted field may span several lines") {
  CsvOptions options;
  options.columns = {"a"};
  const CsvContents contents = parse_csv(
      "t,note,a\n2021-06-10 20:00:08,\"fan, replaced\r\n\"\"see\"\" book\n\",1\n"
      "2021-06-10 20:00:09,,2\n",
      options);
  REQUIRE(contents.table.values.rows() == 2);
  REQUIRE(contents.table.values(1, 0) == 2);
  REQUIRE_THROWS_WITH(parse_csv("t,note,a\n2021-06-10 20:00:08,\"\n\",1\n2021-06-10,,x\n", options),
                      Catch::Matchers::Contains("text:4:3: expected a number"));
  options.strict = false;
  const CsvContents open =
      parse_csv("t,note,a\n2021-06-10 20:00:08,\"fan,1\n2021-06-10 20:00:09,\"ok\",2\n", options);
  REQUIRE(open.table.values.rows() == 2);
  REQUIRE(open.table.values(1, 0) == 2);
  REQUIRE(open.problems.at(0).message == "expected 3 fields, got 2");
}

TEST_CASE("read_csv: pieces are not cut within a quoted field, and any number of threads agrees") {
  std::string text = "t,note,a\n";
  const std::string note = "\"" + std::string(40, '\n') + "\"\"\"";
  constexpr int kRows = 60'000;  // several pieces
  for (int i = 0; i < kRows; ++i) {
    char time[32];
    std::snprintf(time, sizeof time, "2021-06-10 %02d:%02d:%02d,", i / 3600, i / 60 % 60, i % 60);
    text += time + note + "," + std::to_string(i) + "\n";
  }
  CsvOptions options;
  options.columns = {"a"};
  const secondlook::CsvSource source{"f", text};
  for (const int n_jobs : {1, 2, 5}) {
    const CsvContents contents = secondlook::read_csv(std::span(&source, 1), options, n_jobs);
    REQUIRE(contents.table.time_ns.size() == kRows);
    bool equal = true;
    for (int i = 0; i < kRows; ++i) equal = equal && contents.table.values(i, 0) == i;
    REQUIRE(equal);
  }
}

TEST_CASE("read_csv: NUL bytes from a loss of power are reported, and complete rows are kept") {
  const std::string nul(700, '\0');
  const auto [broken, kept, n_problems] = GENERATE_REF(table<std::string, double, std::size_t>({
      {nul + "\n2021-06-10 20:00:09,3,4\n", 3, 1},
      {nul + "2021-06-10 20:00:09,3,4\n", 3, 1},
      {"2021-06-10 20:00:08,7" + nul + "2021-06-10 20:00:09,3,4\n", 3, 2},
      {"2021-06-10 20:00:0" + nul + "2021-06-10 20:00:09,3,4", 3, 1},
      {"2021-06-10 20:00:09,3" + nul + "\n", NAN, 2},
      {"2021-06-10 20:00:09,3,4" + nul + "\n", 3, 1},
  }));
  const std::string text = "t,a,b\n2021-06-10 20:00:07,1,2\n" + broken;
  REQUIRE_THROWS_WITH(parse_csv(text),
                      Catch::Matchers::Contains("text:3") && Catch::Matchers::Contains("\\x00"));
  const CsvContents contents = parse_csv(text, lenient());
  REQUIRE(contents.table.values.rows() == 2);
  REQUIRE(contents.table.values(0, 1) == 2);
  const double value = contents.table.values(1, 0);
  REQUIRE((value == kept || (std::isnan(value) && std::isnan(kept))));
  REQUIRE(contents.n_problems >= 1);
  REQUIRE(contents.n_problems <= n_problems);
}

TEST_CASE("read_csv: lines of one time that contradict each other are counted") {
  const CsvContents contents = parse_csv(
      "t,a,b\n2021-06-10,1,\n2021-06-10,1,2\n2021-06-11,1,2\n2021-06-11,1,3\n2021-06-11,1,4\n");
  REQUIRE(contents.n_lines == 5);
  REQUIRE(contents.n_repeated_times == 3);
  REQUIRE(contents.n_repeated_in_file == 3);
  REQUIRE(contents.n_contradictory_times == 1);
}

TEST_CASE("read_csv: the order of lines and files resolves the repeated hour") {
  constexpr std::int64_t kHour = 3600 * kSecond;
  constexpr std::int64_t kBack = 1'635'642'000 * kSecond;  // 2021-10-31 01:00 UTC
  CsvOptions options;
  options.clock = {{0, kHour}, {kBack - 200 * 24 * kHour, 2 * kHour}, {kBack, kHour}};
  const auto hour = [](const std::string& h, int first) {
    std::string lines;
    for (int i = 0; i < 4; ++i)
      lines += "2021-10-31 " + h + (i == 0 ? ":00," : ":" + std::to_string(15 * i) + ",") +
               std::to_string(first + i) + "\n";
    return lines;
  };
  const std::string head = "t,a\n";
  const std::string before = hour("01", 0), one = hour("02", 4), two = hour("02", 8),
                    after = hour("03", 12);
  const auto texts = GENERATE_REF(std::vector<std::string>{before + one + two + after},
                                  std::vector<std::string>{before, one, two, after},
                                  std::vector<std::string>{before + one, two + after},
                                  std::vector<std::string>{two + after, before + one},
                                  std::vector<std::string>{before + one + two, one + two + after});
  std::vector<std::string> files;
  for (const std::string& text : texts) files.push_back(head + text);
  std::vector<secondlook::CsvSource> sources;
  for (const std::string& file : files) sources.push_back({"f", file});
  const CsvContents contents = secondlook::read_csv(sources, options);
  REQUIRE(contents.table.is_utc);
  REQUIRE(contents.n_contradictory_times == 0);
  REQUIRE(contents.table.time_ns.size() == 16);
  for (int i = 0; i < 16; ++i) {
    REQUIRE(contents.table.time_ns[static_cast<std::size_t>(i)] ==
            kBack - 2 * kHour + i * kHour / 4);
    REQUIRE(contents.table.values(i, 0) == i);
  }

  // On its own it is ambiguous.
  REQUIRE_THROWS_WITH(parse_csv(head + before + one + after, options),
                      Catch::Matchers::Contains("text:6: expected an order of lines"));
  options.strict = false;
  const CsvContents rest = parse_csv(head + before + one + after, options);
  REQUIRE(rest.table.time_ns.size() == 8);
  REQUIRE(rest.n_problems == 4);
  REQUIRE(rest.problems[3].line == 9);
}

TEST_CASE("read_csv: quoted names may hold anything") {
  const CsvContents contents = parse_csv(
      "t,\"a,\"\"b\"\"\n\",c\n2021-06-10 20:00:08,1,2\n2021-06-10 20:00:09,1,x\n", lenient());
  REQUIRE(contents.table.columns == std::vector<std::string>{"a,\"b\"\n", "c"});
  REQUIRE(contents.problems.at(0).line == 4);
}

TEST_CASE("read_csv: words for missing readings") {
  const std::string word = GENERATE("", " ", "nan", "NaN", "NULL", "N/A", "none", "-nan", "\"\"");
  REQUIRE(is_nan(parse_csv("t,a\n2021-06-10 20:00:08," + word + "\n"), 0, 0));
}

TEST_CASE("read_csv: times with an offset are converted to UTC") {
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

TEST_CASE("read_csv: strict reading reports the position and the text") {
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
       "read_csv: text:2:2: expected a closing quote in column 'a', got '1'"},
      {"t,a\n2021-06-10 20:00:08,\"1\"2\n",
       "read_csv: text:2:2: expected nothing after a closing quote in column 'a', got '1'"},
      {"t,a\n2021-06-10 20:00:08,\xff\x01\n",
       "read_csv: text:2:2: expected a number in column 'a', got '\\xff\\x01'"},
      {"", "read_csv: text: expected a header, got an empty file"},
      {"\n\n", "read_csv: text: expected a header, got an empty file"},
      {"t,a,a\n", "read_csv: text:1:3: expected unique names, but 'a' is already column 2"},
      {"t\n", "read_csv: text: expected columns of readings, got only 't'"},
      {"t,\"a\n", "read_csv: text:1: expected a closing quote in the header"},
      {"\xff\xfet", "read_csv: text: expected UTF-16, got an odd number of bytes"},
      {"t,\xff\n",
       "read_csv: text:1:2: expected a name in UTF-8, got '\\xff'; pass the encoding, such as "
       "encoding='cp1252'"},
      {"t;a\n2021-06-10 20:00:08;3,301\n",
       "read_csv: text:2:2: expected a number in column 'a', got '3,301'; for decimal commas use "
       "decimal=','"},
      {"Date,Time,a\n2021-06-10,20:00:08,1\n",
       "read_csv: text:2:2: expected a number in column 'Time', got '20:00:08'; to join dates and "
       "times of day use time_column=(date, time of day)"},
  }));
  // Malformed fields of a line can be left out.
  const bool in_line =
      message.find("text:2") != std::string::npos || message.find("text:3") != std::string::npos;
  REQUIRE_THROWS_WITH(parse_csv(text),
                      message + (in_line ? "; use strict=False to leave it out" : ""));
}

TEST_CASE("read_csv: one file by its path, as text, and among files") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "one.csv";
  const std::string text = "time,v1\n2021-06-10 20:00:08,3389.5\n2021-06-10 20:00:18,\n";
  std::ofstream(file) << text;
  const std::vector files{file};
  for (const CsvContents& contents :
       {secondlook::read_csv(file), secondlook::read_csv(files), parse_csv(text)}) {
    REQUIRE(contents.table.columns == std::vector<std::string>{"v1"});
    REQUIRE(contents.table.values(0, 0) == 3389.5);
    REQUIRE(std::isnan(contents.table.values(1, 0)));
  }
  REQUIRE_THROWS_AS(secondlook::read_csv(folder.path() / "none.csv"), secondlook::FileError);
}

TEST_CASE("read_csv: lenient reading keeps valid rows and lists the problems") {
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

TEST_CASE("read_csv: rows are sorted and equal times merged, the last reading wins") {
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
