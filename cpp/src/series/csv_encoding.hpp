#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "secondlook/series/csv_reader.hpp"

namespace secondlook {

/// The bytes of a file as UTF-8, followed by `n_behind` line ends. Nothing if the bytes need no
/// conversion.
/// @throws InvalidArgument, naming `file`, if the bytes are not valid in this encoding
[[nodiscard]] std::optional<std::string> to_utf8(std::string_view bytes, CsvEncoding encoding,
                                                 std::size_t n_behind, const std::string& file);

/// Replaces each CR that is not followed by an LF by an LF, if the first line ends in such a CR.
void unify_line_ends(char* text, std::size_t size);

}  // namespace secondlook
