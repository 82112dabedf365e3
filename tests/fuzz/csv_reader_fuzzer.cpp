#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "secondlook/core/error.hpp"
#include "secondlook/series/csv_reader.hpp"

namespace {

// Time zone of Berlin in 2021.
constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr std::int64_t kPutForward = 1'616'893'200'000'000'000;
constexpr std::int64_t kPutBack = 1'635'642'000'000'000'000;

}  // namespace

// Any text is rejected or read into a consistent table; the first two bytes select the options.
// Text that is accepted in strict mode gives the same table in lenient mode.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace secondlook;
  if (size < 2) return 0;
  CsvOptions options;
  if (data[0] & 1) options.millisecond_column = "ms";
  if (data[0] & 2) options.utc_offset_minutes = 480;
  if (data[0] & 4) options.delimiter = ';';
  if (data[0] & 8) options.decimal = data[0] & 4 ? ',' : '.';
  if (data[0] & 16) options.time_of_day_column = "time";
  if (data[0] & 32) options.header_line = data[0] >> 6;
  if ((data[0] & 2) == 0 && (data[1] & 8) != 0)
    options.clock = {{0, kHour}, {kPutForward, 2 * kHour}, {kPutBack, kHour}};
  options.encoding = static_cast<CsvEncoding>((data[1] & 7) % 6);
  options.strict = false;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  try {
    const CsvContents contents = parse_csv(text, options);
    if (contents.n_lines < contents.table.time_ns.size() + contents.n_repeated_times) std::abort();
    const TimeTable& table = contents.table;
    const bool fits = static_cast<secondlook::Index>(table.time_ns.size()) == table.values.rows() &&
                      static_cast<secondlook::Index>(table.columns.size()) == table.values.cols();
    const bool rises =
        std::is_sorted(table.time_ns.begin(), table.time_ns.end(), std::less_equal<>()) ||
        table.time_ns.size() < 2;
    const bool finite =
        std::ranges::none_of(table.values.values(), [](double value) { return std::isinf(value); });
    if (!fits || !rises || !finite) std::abort();
    options.strict = true;
    const bool strict_reads = contents.n_problems == 0;
    try {
      if (parse_csv(text, options).table.time_ns != table.time_ns || !strict_reads) std::abort();
    } catch (const InvalidArgument&) {
      if (strict_reads) std::abort();
    }
  } catch (const InvalidArgument&) {
  }
  return 0;
}
