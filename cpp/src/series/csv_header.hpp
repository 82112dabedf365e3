#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/series/csv_reader.hpp"

namespace secondlook {

/// The line of a file that names its columns, and how its fields are written.
struct CsvHeader {
  char delimiter = ',';
  char decimal = '.';
  bool decimal_is_known = true;  ///< from the options, the delimiter, or the first lines
  std::vector<std::string> names;
  std::size_t line = 1;     ///< from 1
  std::size_t end = 0;      ///< where the next line begins in the text
  std::size_t n_lines = 1;  ///< before `end`; names may hold line ends
};

/// Finds the header in a text of UTF-8 that a line end follows, see `CsvOptions`.
/// @throws InvalidArgument when there is none, naming `file`
[[nodiscard]] CsvHeader read_csv_header(std::string_view text, const CsvOptions& options,
                                        const std::string& file);

/// Looks at the first lines below the header for how decimals are written, unless that is known.
void find_decimal(std::string_view text, CsvHeader& header);

}  // namespace secondlook
