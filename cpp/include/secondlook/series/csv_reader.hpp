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

/// How the bytes of a file stand for characters.
enum class CsvEncoding {
  automatic,  ///< UTF-16 where a file begins with its byte order mark, else UTF-8
  utf8,
  latin1,
  utf16,  ///< by its byte order mark, little-endian without one
  utf16_le,
  utf16_be
};
template <>
inline constexpr std::array<std::string_view, 6> names_of<CsvEncoding>{
    "auto", "utf-8", "latin-1", "utf-16", "utf-16-le", "utf-16-be"};

/// What a clock shows from an instant on.
struct ClockOffset {
  std::int64_t since_ns = 0;   ///< in UTC, since 1970
  std::int64_t offset_ns = 0;  ///< the clock minus UTC
};

template <FieldsOf<ClockOffset> T>
void for_each_field(T& c, auto&& use) {
  use("since_ns", c.since_ns);
  use("offset_ns", c.offset_ns);
}
template <>
inline constexpr bool is_written_as_list<ClockOffset> = true;

struct CsvOptions {
  /// The column of time stamps; the first one if empty.
  std::string time_column;
  /// A column of times of day that belong to the dates in `time_column`; none if empty.
  std::string time_of_day_column;
  /// A column of milliseconds (0 to 999) to be added to the time stamps; none if empty.
  std::string millisecond_column;
  /// The columns of readings, in this order; all but the above if empty.
  std::vector<std::string> columns;
  /// What is between fields; if not given, that of `,` `;` tab and `|` which the header has most.
  std::optional<char> delimiter;
  /// What is before the decimals of a reading, `.` or `,`. If not given, a point; or a comma where
  /// it does not separate fields and the first lines have numbers that cannot be read otherwise.
  std::optional<char> decimal;
  /// Index of the header's line from 0, empty lines counted. If not given, the first line that is
  /// not empty; or the line above the first one that begins with a time, where what is above that
  /// line cannot be a header.
  std::optional<std::size_t> header_line;
  CsvEncoding encoding = CsvEncoding::automatic;
  /// The plant's clock minus UTC, in minutes: times are turned into UTC. If not given, they stay as
  /// written, unless they state an offset themselves.
  std::optional<int> utc_offset_minutes;
  /// The same for a clock that is changed in summer and winter: what it showed when, ascending.
  /// Times that it shows twice are told apart by the order of lines and files.
  std::vector<ClockOffset> clock;
  std::string clock_name = "the plant's zone";  ///< of that clock in errors
  /// Whether the first malformed field ends the reading. Otherwise such a reading becomes NaN, a
  /// row without a time is left out, and the problems are listed.
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

/// Where a file is not as it should be.
struct CsvProblem {
  std::string file;
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< field in the line, from 1; 0 where the whole line is meant
  std::string message;     ///< what was expected and what came
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
  std::vector<CsvProblem> problems;       ///< the first 100 in the order of the files
  std::size_t n_problems = 0;             ///< all of them
  std::size_t n_lines = 0;                ///< lines below the headers that are not empty
  std::size_t n_repeated_times = 0;       ///< rows joined with an earlier one of the same time
  std::size_t n_repeated_in_file = 0;     ///< of them, rows joined with one of the same file
  std::size_t n_contradictory_times = 0;  ///< times of which two rows state different readings
  std::size_t n_out_of_order = 0;         ///< rows earlier than the one before in the same file
  std::size_t n_spread_times = 0;  ///< rows without seconds that share their minute with others
};

/// All but the table.
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
  std::filesystem::path path;  ///< names it in errors
  /// The contents, if given; nothing is opened then.
  std::optional<std::string_view> text = std::nullopt;
};

/// Reads the sensor exports in `paths` into one table sorted by time.
///
/// A file has a header, and one line per time stamp; fields and names may be quoted, and a quoted
/// field may go over several lines. Lines end in LF, CRLF or CR, empty lines do not count. Readings
/// are decimal numbers, correctly rounded; an empty field and the words nan, na, n/a, null, none in
/// any case are missing. Times are `2021/06/10 20:00:08` or `2021-06-10T20:00:08`, the seconds with
/// up to nine decimals, or left out, or the time of day left out; 24:00 is 00:00 of the next day.
/// They are followed by nothing, `Z`, or an offset such as `+08:00`. Where times state no seconds,
/// the lines of one minute in one file are spread evenly over it. The files have the same columns,
/// in any order. Of rows with the same time the later one counts, in the order of `paths` and
/// lines, but its missing readings leave the earlier ones.
///
/// Files, and pieces of large ones, are read side by side on `n_jobs` threads (see
/// `resolve_threads`); the result does not depend on it.
/// @throws InvalidArgument for what is malformed, named by file, line and column; for a column that
///   is not there, naming those that are; for times of which some state an offset and some do not
/// @throws FileError when a file cannot be opened or read
/// @throws Cancelled when `progress`, told pieces of about 1 MB, asks to stop
[[nodiscard]] SECONDLOOK_EXPORT CsvContents read_csv(std::span<const std::filesystem::path> paths,
                                                     const CsvOptions& options = {}, int n_jobs = 0,
                                                     const Progress& progress = {});

/// The same for one file.
[[nodiscard]] SECONDLOOK_EXPORT CsvContents read_csv(const std::filesystem::path& path,
                                                     const CsvOptions& options = {}, int n_jobs = 0,
                                                     const Progress& progress = {});

/// The same for files of which some are in memory already.
[[nodiscard]] SECONDLOOK_EXPORT CsvContents read_csv(std::span<const CsvSource> sources,
                                                     const CsvOptions& options = {}, int n_jobs = 0,
                                                     const Progress& progress = {});

/// The same for the text of one file, called `name` in errors.
[[nodiscard]] SECONDLOOK_EXPORT CsvContents parse_csv(std::string_view text,
                                                      const CsvOptions& options = {},
                                                      std::string_view name = "text");

}  // namespace secondlook
