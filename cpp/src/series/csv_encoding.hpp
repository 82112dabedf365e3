#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "secondlook/series/csv_reader.hpp"

namespace secondlook {

/// The bytes of a file as UTF-8, with `n_behind` line ends behind them; nothing where they serve as
/// they are.
/// @throws InvalidArgument naming `file`, for bytes that are not of this encoding
[[nodiscard]] std::optional<std::string> to_utf8(std::string_view bytes, CsvEncoding encoding,
                                                 std::size_t n_behind, const std::string& file);

/// Turns each CR that no LF follows into an LF, if the first line ends in such a CR.
void unify_line_ends(char* text, std::size_t size);

}  // namespace secondlook
