#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace secondlook {

/// How a quoted field ends.
struct QuotedEnd {
  enum class Fault { none, unclosed, trailing };

  const char* close = nullptr;  ///< the closing quote; where unclosed, the line's end
  const char* end = nullptr;    ///< the delimiter or line end behind the field
  Fault fault = Fault::none;
  bool several_lines = false;
};

/// Looks for the end of the field whose opening quote is at `quote`, in a text that ends before
/// `end`, where a line end is.
///
/// A field over several lines is one only if a delimiter or line end follows its closing quote, and
/// if it is not longer than 64 KiB: a quote that is never closed spoils one line and no more.
[[nodiscard]] QuotedEnd find_quoted_end(const char* quote, const char* end, char delimiter);

/// What stands between two quotes, where a quote is doubled.
[[nodiscard]] std::string unquoted(std::string_view quoted);

/// From a quote to the end of its field, as indices in a text.
struct QuotedLines {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The quoted fields of several lines in a text that begins with a line and that a line end
/// follows, in order.
[[nodiscard]] std::vector<QuotedLines> find_quoted_lines(std::string_view text, char delimiter);

}  // namespace secondlook
