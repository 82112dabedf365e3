#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/series/csv_reader.hpp"

namespace secondlook {

/// The first line of a file.
struct CsvHeader {
  char delimiter = ',';
  std::vector<std::string> names;
  std::size_t end = 0;      ///< where the second line begins in the text
  std::size_t n_lines = 1;  ///< names may hold line ends
};

/// @throws InvalidArgument when there is none, naming `file`
[[nodiscard]] CsvHeader read_csv_header(std::string_view text, const CsvOptions& options,
                                        const std::string& file);

/// The columns of readings that a file with this header has: those asked for, or all.
[[nodiscard]] std::vector<std::string> reading_columns(const CsvHeader& header,
                                                       const CsvOptions& options,
                                                       const std::string& file);

/// Where each field of a line belongs.
struct CsvLayout {
  static constexpr std::int32_t kTime = -1;
  static constexpr std::int32_t kMillisecond = -2;
  static constexpr std::int32_t kIgnored = -3;

  char delimiter = ',';
  std::vector<std::string> names;     ///< of the fields
  std::vector<std::int32_t> targets;  ///< of the fields: a column of readings or one of the above
  std::size_t n_columns = 0;          ///< of readings
  std::int64_t utc_offset_ns = 0;
  bool offset_is_known = false;
  bool strict = true;
};

/// @throws InvalidArgument when the file lacks one of `columns` or has others, unless those were
///   chosen by the options
[[nodiscard]] CsvLayout lay_out(const CsvHeader& header, const CsvOptions& options,
                                const std::vector<std::string>& columns, const std::string& file);

/// Whole lines of one file, and the rows of the table that they fill.
struct CsvPiece {
  std::size_t file = 0;
  std::size_t begin = 0;  ///< in the text
  std::size_t end = 0;
  std::size_t first_line = 1;
  std::size_t first_row = 0;

  // Set by `read_csv_rows`.
  std::size_t n_rows = 0;
  bool saw_utc = false;
  bool saw_local = false;
  std::vector<std::size_t> rows_without_seconds;
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

}  // namespace secondlook
