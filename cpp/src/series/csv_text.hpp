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

/// The columns of readings in a file with this header: the requested ones, or all.
[[nodiscard]] std::vector<std::string> reading_columns(const CsvHeader& header,
                                                       const CsvOptions& options,
                                                       const std::string& file);

/// Meaning of each field of a line.
struct CsvLayout {
  static constexpr std::int32_t kTime = -1;
  static constexpr std::int32_t kMillisecond = -2;
  static constexpr std::int32_t kTimeOfDay = -3;
  static constexpr std::int32_t kIgnored = -4;

  char delimiter = ',';
  char decimal = '.';
  std::vector<std::string> names;     ///< one per field
  std::vector<std::int32_t> targets;  ///< one per field: column of readings, or one of the above
  std::size_t n_columns = 0;          ///< number of columns of readings
  bool time_is_split = false;         ///< whether date and time of day are two fields
  const Clock* clock = nullptr;       ///< for times without an offset, if known
  std::string clock_name;
  bool strict = true;
};

/// @throws InvalidArgument if the file lacks one of `columns`, or if it has others and the options
///   do not name the columns
[[nodiscard]] CsvLayout lay_out(const CsvHeader& header, const CsvOptions& options,
                                const std::vector<std::string>& columns, const Clock* clock,
                                const std::string& file);

/// A row whose time the clock shows twice. The time is still the local one.
struct RepeatedHourRow {
  std::size_t row = 0;
  std::size_t change = 0;      ///< index of the change of the clock
  std::size_t line_begin = 0;  ///< index of its line in the text
};

/// Complete lines of one file, and the rows of the table that they fill.
struct CsvPiece {
  std::size_t file = 0;
  std::size_t begin = 0;  ///< index in the text
  std::size_t end = 0;
  std::size_t first_line = 1;
  std::size_t first_row = 0;

  // Set by `read_csv_rows`.
  std::size_t n_rows = 0;
  std::size_t n_lines = 0;  // without empty lines
  bool saw_utc = false;
  bool saw_local = false;
  std::vector<std::size_t> rows_without_seconds;
  std::vector<RepeatedHourRow> repeated_hour;
  std::vector<CsvProblem> problems;  // the first kMaxProblems
  std::size_t n_problems = 0;
};

constexpr std::size_t kMaxProblems = 100;

/// Reads the lines of a piece into rows; `time_ns` and `values` point to its first row.
///
/// `text` is the whole file, followed by '\n' and kDecimalPadding bytes; problems call it `file`.
/// If the layout is strict, reading stops at the first problem.
void read_csv_rows(const char* text, const std::string& file, const CsvLayout& layout,
                   CsvPiece& piece, std::int64_t* time_ns, double* values);

/// Number of the line that begins at index `line_begin` in the text.
[[nodiscard]] std::size_t line_number(const char* text, const CsvPiece& piece,
                                      std::size_t line_begin);

}  // namespace secondlook
