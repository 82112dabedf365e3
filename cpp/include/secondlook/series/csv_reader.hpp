#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/progress.hpp"
#include "secondlook/series/time_table.hpp"

namespace secondlook {

/// Character encoding of a file.
enum class CsvEncoding {
  automatic,  ///< UTF-16 if a file begins with its byte order mark, else UTF-8
  utf8,
  latin1,
  utf16,  ///< byte order by the byte order mark, little-endian without one
  utf16_le,
  utf16_be
};
template <>
inline constexpr std::array<std::string_view, 6> names_of<CsvEncoding>{
    "auto", "utf-8", "latin-1", "utf-16", "utf-16-le", "utf-16-be"};

/// UTC offset of a clock from an instant on.
struct ClockOffset {
  std::int64_t since_ns = 0;   ///< in UTC, since 1970
  std::int64_t offset_ns = 0;  ///< local time minus UTC
};

template <FieldsOf<ClockOffset> T>
void for_each_field(T& c, auto&& use) {
  use("since_ns", c.since_ns);
  use("offset_ns", c.offset_ns);
}
template <>
inline constexpr bool is_written_as_list<ClockOffset> = true;

struct CsvOptions {
  /// Column of time stamps; the first column if empty.
  std::string time_column;
  /// Column of the times of day that belong to the dates in `time_column`; none if empty.
  std::string time_of_day_column;
  /// Column of milliseconds (0 to 999) to be added to the time stamps; none if empty.
  std::string millisecond_column;
  /// Columns of readings, in this order; all except the above if empty.
  std::vector<std::string> columns;
  /// Separator of fields. By default the one of `,` `;` tab and `|` that occurs most often in the
  /// header.
  std::optional<char> delimiter;
  /// Decimal separator, `.` or `,`. By default a point, or a comma if it does not separate fields
  /// and the first lines have numbers that cannot be read otherwise.
  std::optional<char> decimal;
  /// Index of the header line from 0, including empty lines. By default the first line that is not
  /// empty or, if that line cannot be a header, the line above the first one that begins with a
  /// time.
  std::optional<std::size_t> header_line;
  CsvEncoding encoding = CsvEncoding::automatic;
  /// UTC offset of the plant's clock in minutes; times are converted to UTC. If not given, times
  /// are kept as written, unless they have an offset.
  std::optional<int> utc_offset_minutes;
  /// The same for a clock with daylight saving time: its offsets, ascending. Times that it shows
  /// twice are told apart by the order of lines and files.
  std::vector<ClockOffset> clock;
  std::string clock_name = "the plant's zone";  ///< name of that clock in errors
  /// Whether a malformed field is an error. Otherwise a malformed reading becomes NaN, a row
  /// without a valid time is left out, and both are listed as problems.
  bool strict = true;
};

template <FieldsOf<CsvOptions> T>
void for_each_field(T& o, auto&& use) {
  use("time_column", o.time_column);
  use("time_of_day_column", o.time_of_day_column);
  use("millisecond_column", o.millisecond_column);
  use("columns", o.columns);
  use("delimiter", o.delimiter);
  use("decimal", o.decimal);
  use("header_line", o.header_line);
  use("encoding", o.encoding);
  use("utc_offset_minutes", o.utc_offset_minutes);
  use("clock", o.clock);
  use("clock_name", o.clock_name);
  use("strict", o.strict);
}

/// A malformed field or line of a file.
struct CsvProblem {
  std::string file;
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< number of the field in the line, from 1; 0 for the whole line
  std::string message;     ///< what was expected and what was found
};

template <FieldsOf<CsvProblem> T>
void for_each_field(T& p, auto&& use) {
  use("file", p.file);
  use("line", p.line);
  use("column", p.column);
  use("message", p.message);
}
template <>
inline constexpr bool is_written_as_list<CsvProblem> = true;

struct CsvContents {
  TimeTable table;
  std::vector<CsvProblem> problems;       ///< the first 100, in the order of the files
  std::size_t n_problems = 0;             ///< number of all problems
  std::size_t n_lines = 0;                ///< lines below the headers that are not empty
  std::size_t n_repeated_times = 0;       ///< rows merged with an earlier row of the same time
  std::size_t n_repeated_in_file = 0;     ///< those among them merged with a row of the same file
  std::size_t n_contradictory_times = 0;  ///< times for which two rows have different readings
  std::size_t n_out_of_order = 0;         ///< rows earlier than the previous row of the same file
  std::size_t n_spread_times = 0;  ///< rows without seconds that share their minute with others
};

/// All fields except the table.
template <FieldsOf<CsvContents> T>
void for_each_field(T& c, auto&& use) {
  use("problems", c.problems);
  use("n_problems", c.n_problems);
  use("n_lines", c.n_lines);
  use("n_repeated_times", c.n_repeated_times);
  use("n_repeated_in_file", c.n_repeated_in_file);
  use("n_contradictory_times", c.n_contradictory_times);
  use("n_out_of_order", c.n_out_of_order);
  use("n_spread_times", c.n_spread_times);
}

/// A file to read, or its text.
struct CsvSource {
  std::filesystem::path path;  ///< name of the source in errors
  /// The contents; if given, no file is opened.
  std::optional<std::string_view> text = std::nullopt;
};

/// Reads the sensor exports in `paths` into one table sorted by time.
///
/// A file has a header and one line per time stamp; fields and names may be quoted, and a quoted
/// field may span several lines. Lines end in LF, CRLF or CR; empty lines are ignored. Readings are
/// decimal numbers and are correctly rounded; an empty field and the words nan, na, n/a, null, none
/// in any case are missing. Times look like `2021/06/10 20:00:08` or `2021-06-10T20:00:08`. Seconds
/// may have up to nine decimals, and the seconds or the whole time of day may be omitted; 24:00 is
/// 00:00 of the next day. A time may be followed by `Z` or an offset such as `+08:00`. If times
/// have no seconds, the lines of one minute in one file are spread evenly over that minute. All
/// files must have the same columns, in any order. If several rows have the same time, the last
/// reading wins, in the order of `paths` and lines; a missing reading does not replace an earlier
/// one.
///
/// Files, and pieces of large files, are read in parallel on `n_jobs` threads (see
/// `resolve_threads`); the result does not depend on it.
/// @throws InvalidArgument if a field is malformed (the message names file, line and column), if a
///   column is missing (the message names the columns found), or if only some times have an offset
/// @throws FileError if a file cannot be opened or read
/// @throws Cancelled if `progress`, which counts pieces of about 1 MB, asks to stop
[[nodiscard]] SECONDLOOK_EXPORT CsvContents read_csv(std::span<const std::filesystem::path> paths,
                                                     const CsvOptions& options = {}, int n_jobs = 0,
                                                     const Progress& progress = {});

/// The same for one file.
[[nodiscard]] SECONDLOOK_EXPORT CsvContents read_csv(const std::filesystem::path& path,
                                                     const CsvOptions& options = {}, int n_jobs = 0,
                                                     const Progress& progress = {});

/// The same for sources of which some are already in memory.
[[nodiscard]] SECONDLOOK_EXPORT CsvContents read_csv(std::span<const CsvSource> sources,
                                                     const CsvOptions& options = {}, int n_jobs = 0,
                                                     const Progress& progress = {});

/// The same for the text of one file; errors call it `name`.
[[nodiscard]] SECONDLOOK_EXPORT CsvContents parse_csv(std::string_view text,
                                                      const CsvOptions& options = {},
                                                      std::string_view name = "text");

}  // namespace secondlook
