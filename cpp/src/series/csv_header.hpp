#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/series/csv_reader.hpp"

namespace secondlook {

/// The line of a file that names its columns, with the format of the fields.
struct CsvHeader {
  char delimiter = ',';
  char decimal = '.';
  bool decimal_is_known = true;  ///< from the options, the delimiter, or the first lines
  std::vector<std::string> names;
  std::size_t line = 1;     ///< from 1
  std::size_t end = 0;      ///< index of the next line in the text
  std::size_t n_lines = 1;  ///< number of lines before `end`; names may contain line ends
};

/// Finds the header in a UTF-8 text that is followed by a line end, see `CsvOptions`.
/// @throws InvalidArgument, naming `file`, if there is no header
[[nodiscard]] CsvHeader read_csv_header(std::string_view text, const CsvOptions& options,
                                        const std::string& file);

/// Determines the decimal separator from the first lines below the header, unless it is known.
void find_decimal(std::string_view text, CsvHeader& header);

}  // namespace secondlook
