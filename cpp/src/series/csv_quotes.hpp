#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace secondlook {

/// How a quoted field ends.
struct QuotedEnd {
  enum class Fault { none, unclosed, trailing };

  const char* close = nullptr;  ///< the closing quote; if unclosed, the end of the line
  const char* end = nullptr;    ///< the delimiter or line end after the field
  Fault fault = Fault::none;
  bool several_lines = false;
};

/// Finds the end of the field whose opening quote is at `quote`, in a text that ends at `end`,
/// where there is a line end.
///
/// A field spans several lines only if a delimiter or line end follows its closing quote, and if it
/// is not longer than 64 KiB. So a quote that is never closed affects only one line.
[[nodiscard]] QuotedEnd find_quoted_end(const char* quote, const char* end, char delimiter);

/// The text between two quotes, with doubled quotes replaced by single ones.
[[nodiscard]] std::string unquoted(std::string_view quoted);

/// Indices in a text of a quoted field, from its opening quote to its end.
struct QuotedLines {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The quoted fields that span several lines, in order. The text begins with a line and is followed
/// by a line end.
[[nodiscard]] std::vector<QuotedLines> find_quoted_lines(std::string_view text, char delimiter);

}  // namespace secondlook
