#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/series/csv_reader.hpp"
#include "series/clock.hpp"
#include "series/csv_header.hpp"

namespace secondlook {

/// The columns of readings that a file with this header has: those asked for, or all.
[[nodiscard]] std::vector<std::string> reading_columns(const CsvHeader& header,
                                                       const CsvOptions& options,
                                                       const std::string& file);

/// Where each field of a line belongs.
struct CsvLayout {
  static constexpr std::int32_t kTime = -1;
  static constexpr std::int32_t kMillisecond = -2;
  static constexpr std::int32_t kTimeOfDay = -3;
  static constexpr std::int32_t kIgnored = -4;

  char delimiter = ',';
  char decimal = '.';
  std::vector<std::string> names;     ///< of the fields
  std::vector<std::int32_t> targets;  ///< of the fields: a column of readings or one of the above
  std::size_t n_columns = 0;          ///< of readings
  bool time_is_split = false;         ///< into a date and a time of day
  const Clock* clock = nullptr;       ///< of times that state no offset, if it is known
  std::string clock_name;
  bool strict = true;
};

/// @throws InvalidArgument when the file lacks one of `columns` or has others, unless those were
///   chosen by the options
[[nodiscard]] CsvLayout lay_out(const CsvHeader& header, const CsvOptions& options,
                                const std::vector<std::string>& columns, const Clock* clock,
                                const std::string& file);

/// A row whose time the clock shows twice. It is still as the clock showed it.
struct RepeatedHourRow {
  std::size_t row = 0;
  std::size_t change = 0;  ///< of the clock
  std::size_t place = 0;   ///< where its line begins in the text
};

/// Whole lines of one file, and the rows of the table that they fill.
struct CsvPiece {
  std::size_t file = 0;
  std::size_t begin = 0;  ///< in the text
  std::size_t end = 0;
  std::size_t first_line = 1;
  std::size_t first_row = 0;

  // Set by `read_csv_rows`.
  std::size_t n_rows = 0;
  std::size_t n_lines = 0;  // that are not empty
  bool saw_utc = false;
  bool saw_local = false;
  std::vector<std::size_t> rows_without_seconds;
  std::vector<RepeatedHourRow> repeated_hour;
  std::vector<CsvProblem> problems;  // the first kMaxProblems
  std::size_t n_problems = 0;
};

constexpr std::size_t kMaxProblems = 100;

/// Reads the lines of a piece into rows: `time_ns` and `values` are those of its first row.
///
/// `text` is the whole file with '\n' behind its end and kDecimalPadding bytes behind that;
/// problems call it `file`. The first problem ends the reading if the layout is strict.
void read_csv_rows(const char* text, const std::string& file, const CsvLayout& layout,
                   CsvPiece& piece, std::int64_t* time_ns, double* values);

/// The number of the line at `place` in the piece's text.
[[nodiscard]] std::size_t line_number(const char* text, const CsvPiece& piece, std::size_t place);

}  // namespace secondlook
