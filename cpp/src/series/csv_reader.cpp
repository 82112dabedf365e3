#include "secondlook/series/csv_reader.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include "core/validation.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "series/csv_encoding.hpp"
#include "series/csv_quotes.hpp"
#include "series/csv_text.hpp"
#include "series/decimal.hpp"
#include "series/repeated_hour.hpp"
#include "series/shown_text.hpp"

namespace secondlook {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
// Bytes after each text: a line end, at which the parser always stops, and padding that is read but
// never used.
constexpr std::size_t kBehind = 1 + kDecimalPadding;

// Fresh memory costs a page fault per page. Large pages reduce their number to a hundredth.
void prefer_large_pages(void* memory, std::size_t n_bytes) {
  constexpr std::uintptr_t kPage = std::uintptr_t{2} << 20;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (address + kPage - 1) / kPage * kPage;
  const std::uintptr_t end = (address + n_bytes) / kPage * kPage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

// The bytes of several files.
class Texts {
 public:
  explicit Texts(std::span<const std::size_t> sizes) {
    std::size_t n_bytes = 0;
    for (const std::size_t size : sizes) {
      offsets_.push_back(n_bytes);
      sizes_.push_back(size);
      n_bytes += size + kBehind;
    }
    bytes_ = std::make_unique_for_overwrite<char[]>(n_bytes);
    prefer_large_pages(bytes_.get(), n_bytes);
    for (std::size_t i = 0; i < sizes.size(); ++i) shorten(i, sizes[i]);
  }
  void shorten(std::size_t i, std::size_t size) {
    sizes_[i] = size;
    std::fill_n(data(i) + size, kBehind, '\n');
  }
  [[nodiscard]] char* data(std::size_t i) { return bytes_.get() + offsets_[i]; }
  [[nodiscard]] std::size_t size(std::size_t i) const { return sizes_[i]; }
  [[nodiscard]] std::string_view view(std::size_t i) const {
    return {bytes_.get() + offsets_[i], sizes_[i]};
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::vector<std::size_t> offsets_;
  std::vector<std::size_t> sizes_;
};

// Anything that is not a regular file gets size 0 here; reading it raises the error.
std::vector<std::size_t> sizes_of(std::span<const CsvSource> sources) {
  std::vector<std::size_t> sizes;
  for (const auto& [path, text] : sources) {
    if (text) {
      sizes.push_back(text->size());
      continue;
    }
    std::error_code none;
    const bool is_file = std::filesystem::is_regular_file(path, none);
    const auto size = is_file ? std::filesystem::file_size(path, none) : 0;
    sizes.push_back(none ? 0 : static_cast<std::size_t>(size));
  }
  return sizes;
}

// Reads the file instead of mapping it, since truncating a mapped file would kill the process.
void read_text(const std::filesystem::path& path, Texts& texts, std::size_t index) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  require<FileError>(descriptor >= 0, "cannot open '{}': {}", path.string(), std::strerror(errno));
  const auto close = [](const int* d) { ::close(*d); };
  const std::unique_ptr<const int, decltype(close)> closer(&descriptor, close);
  struct stat status{};
  require<FileError>(::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode),
                     "cannot read '{}': not a regular file", path.string());

  const std::size_t size = texts.size(index);
  std::size_t n = 0;
  while (n < size) {
    const ssize_t got = ::read(descriptor, texts.data(index) + n, size - n);
    if (got < 0 && errno == EINTR) continue;
    require<FileError>(got >= 0, "cannot read '{}': {}", path.string(), std::strerror(errno));
    if (got == 0) break;
    n += static_cast<std::size_t>(got);
  }
  texts.shorten(index, n);
}

// Counts of up to 255 fit into a byte, so the compiler can process 16 bytes at a time.
std::size_t count_line_ends(const char* p, const char* end) {
  std::size_t n = 0;
  while (p < end) {
    const char* stop = p + std::min<std::ptrdiff_t>(end - p, 16 * 255);
    unsigned char lanes[16] = {};
    for (; p + 16 <= stop; p += 16)
      for (int i = 0; i < 16; ++i) lanes[i] = static_cast<unsigned char>(lanes[i] + (p[i] == '\n'));
    for (; p < stop; ++p) n += *p == '\n' ? 1 : 0;
    for (const unsigned char lane : lanes) n += lane;
  }
  return n;
}

struct File {
  std::string name;
  std::string converted;                    // the text, if the file is not UTF-8
  std::string_view text;                    // followed by `kBehind` line ends
  std::shared_ptr<const CsvHeader> header;  // shared by files with the same header
  std::vector<CsvPiece> pieces;
  std::size_t n_rows = 0;  // an upper bound
};

// Sets where the pieces of a file begin and how many rows they may have. A piece ends at the end of
// a line that is not inside one of `quoted`. Returns whether there are quotes at all.
bool cut_into_pieces(File& file, std::size_t index, std::span<const QuotedLines> quoted) {
  const char* text = file.text.data();
  const std::size_t size = file.text.size();
  std::size_t line = file.header->n_lines + 1;
  bool has_quotes = false;
  file.pieces.clear();
  file.n_rows = 0;
  for (std::size_t begin = file.header->end; begin < size;) {
    std::size_t end = begin + kPieceBytes;
    const auto line_end_from = [&](std::size_t from) {
      if (from >= size) return size;
      const void* found = std::memchr(text + from, '\n', size - from + 1);
      return std::min(static_cast<std::size_t>(static_cast<const char*>(found) - text) + 1, size);
    };
    end = line_end_from(end - 1);
    while (!quoted.empty() && quoted.front().begin < end) {
      if (quoted.front().end >= end) end = line_end_from(quoted.front().end);
      quoted = quoted.subspan(1);
    }
    CsvPiece piece;
    piece.file = index;
    piece.begin = begin;
    piece.end = end;
    piece.first_line = line;
    piece.first_row = file.n_rows;
    file.pieces.push_back(std::move(piece));
    const std::size_t n_lines = count_line_ends(text + begin, text + end);
    has_quotes = has_quotes || std::memchr(text + begin, '"', end - begin) != nullptr;
    line += n_lines;
    file.n_rows += n_lines + (text[end - 1] == '\n' ? 0 : 1);
    begin = end;
  }
  return has_quotes;
}

void cut_into_pieces(File& file, std::size_t index) {
  if (!cut_into_pieces(file, index, {})) return;
  const std::size_t begin = file.header->end;
  std::vector<QuotedLines> quoted =
      find_quoted_lines(file.text.substr(begin), file.header->delimiter);
  if (quoted.empty()) return;
  for (QuotedLines& lines : quoted) lines = {lines.begin + begin, lines.end + begin};
  cut_into_pieces(file, index, quoted);
}

void check_options(const CsvOptions& options) {
  if (options.delimiter) {
    const char c = *options.delimiter;
    const bool taken = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view(" \"+-.\r\n").find(c) != std::string_view::npos ||
                       (c < ' ' && c != '\t') || c == '\x7F';
    require(!taken, "read_csv: expected a delimiter that cannot be part of a field, got '{}' ({})",
            c, static_cast<int>(c));
  }
  require(!options.decimal || *options.decimal == '.' || *options.decimal == ',',
          "read_csv: expected '.' or ',' as decimal separator, got '{}'",
          options.decimal.value_or(' '));
  require(!options.decimal || options.decimal != options.delimiter,
          "read_csv: expected different separators of fields and decimals, got '{}' for both",
          options.decimal.value_or(' '));
  require(!options.utc_offset_minutes || options.clock.empty(),
          "read_csv: expected either utc_offset_minutes or clock, got both");
  constexpr int kMaxMinutes = 24 * 60;
  const int offset = options.utc_offset_minutes.value_or(0);
  require(std::abs(offset) < kMaxMinutes,
          "read_csv: expected an offset from UTC within a day, got {} minutes", offset);
  for (std::size_t i = 0; i < options.columns.size(); ++i) {
    const std::string& name = options.columns[i];
    require(!name.empty() && name != options.time_column && name != options.time_of_day_column &&
                name != options.millisecond_column &&
                std::find(options.columns.begin(), options.columns.begin() + i, name) ==
                    options.columns.begin() + i,
            "read_csv: expected columns to be distinct, not empty and not a time column, got '{}'",
            name);
  }
}

[[noreturn]] void fail(const CsvProblem& problem) {
  const std::string column = problem.column > 0 ? fmt::format(":{}", problem.column) : "";
  throw InvalidArgument(fmt::format("read_csv: {}:{}{}: {}; use strict=False to leave it out",
                                    problem.file, problem.line, column, problem.message));
}

std::optional<Clock> clock_of(const CsvOptions& options) {
  constexpr std::int64_t kMinute = 60'000'000'000;
  if (!options.clock.empty()) return Clock(options.clock);
  if (!options.utc_offset_minutes) return std::nullopt;
  const ClockOffset offset{0, *options.utc_offset_minutes * kMinute};
  return Clock(std::span(&offset, 1));
}

// Rows as read from the pieces, in the order of files and lines, with unused rows between pieces.
struct RawRows {
  std::vector<std::int64_t> time_ns;
  Matrix<double> values;
};

// The rows of the raw table that form each row of the result: those with the same time, in order.
struct RowOrder {
  std::vector<Index> rows;          // sorted by time
  std::vector<std::size_t> starts;  // index in `rows` of each distinct time, and their end
};

class Reader {
 public:
  Reader(const CsvOptions& options, std::size_t n_threads)
      : options_(options), n_threads_(n_threads), clock_(clock_of(options)) {}

  CsvContents read(std::vector<File> files, const Progress& progress) {
    files_ = std::move(files);
    lay_out_files();
    parse(progress);
    if (options_.strict) fail_at_first_problem();
    if (clock_) tell_repeated_hours_apart();
    collect_problems();
    collect_zone();
    spread_within_minutes();
    collect_rows();
    return std::move(contents_);
  }

 private:
  void lay_out_files() {
    const CsvHeader& first = *files_[0].header;
    contents_.table.columns = reading_columns(first, options_, files_[0].name);
    for (File& file : files_) {
      const bool alike = !layouts_.empty() && file.header == files_[0].header;
      layouts_.push_back(alike ? layouts_[0]
                               : std::make_shared<const CsvLayout>(
                                     lay_out(*file.header, options_, contents_.table.columns,
                                             clock_ ? &*clock_ : nullptr, file.name)));
      for (CsvPiece& piece : file.pieces) {
        piece.first_row += n_rows_;
        pieces_.push_back(&piece);
      }
      n_rows_ += file.n_rows;
    }
  }

  void parse(const Progress& progress) {
    raw_.time_ns.resize(n_rows_);
    raw_.values.resize(static_cast<Index>(n_rows_),
                       static_cast<Index>(contents_.table.columns.size()));
    prefer_large_pages(raw_.values.data(),
                       static_cast<std::size_t>(raw_.values.size()) * sizeof(double));
    std::atomic<std::size_t> first_bad = pieces_.size();
    const auto work = [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        if (i > first_bad.load(std::memory_order_relaxed)) return;
        CsvPiece& piece = *pieces_[i];
        const File& file = files_[piece.file];
        read_csv_rows(file.text.data(), file.name, *layouts_[piece.file], piece,
                      raw_.time_ns.data() + piece.first_row,
                      raw_.values.data() + piece.first_row * contents_.table.columns.size());
        if (piece.n_problems == 0 || !options_.strict) continue;
        std::size_t known = first_bad.load();
        while (i < known && !first_bad.compare_exchange_weak(known, i)) {
        }
      }
    };
    parallel_for(pieces_.size(), 1, n_threads_, work, progress);
  }

  void fail_at_first_problem() const {
    for (const CsvPiece* piece : pieces_)
      if (piece->n_problems > 0) fail(piece->problems.front());
  }

  // A row of the repeated hour, and its piece.
  struct HourRow {
    std::size_t piece;
    RepeatedHourRow row;
  };

  // Decides for each file by itself if possible, and for the remaining files together.
  void tell_repeated_hours_apart() {
    std::map<std::size_t, std::vector<std::vector<HourRow>>> changes;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      for (const RepeatedHourRow& row : pieces_[i]->repeated_hour) {
        auto& groups = changes[row.change];
        if (groups.empty() || pieces_[groups.back().back().piece]->file != pieces_[i]->file)
          groups.emplace_back();
        groups.back().push_back({i, row});
      }
    }
    bool all_told = true;
    for (const auto& [change, groups] : changes) {
      std::vector<HourRow> rest;
      for (const auto& group : groups)
        if (!tell_apart(group, true)) rest.insert(rest.end(), group.begin(), group.end());
      if (rest.empty() || (groups.size() > 1 && tell_apart(rest, false))) continue;
      leave_out(rest);
      all_told = false;
    }
    if (!all_told && options_.strict) fail_at_first_problem();
  }

  // Converts the times of the rows to UTC if their order decides; returns whether it does.
  bool tell_apart(const std::vector<HourRow>& rows, bool within_file) {
    std::vector<std::int64_t> local_ns;
    local_ns.reserve(rows.size());
    for (const HourRow& row : rows) local_ns.push_back(raw_.time_ns[row.row.row]);
    RepeatedHour hour{local_ns, clock_->change(rows.front().row.change), {}, {}};
    hour.previous_ns = neighbour(rows.front(), -1, within_file);
    hour.next_ns = neighbour(rows.back(), 1, within_file);
    const std::optional<std::size_t> put_back = find_put_back(hour);
    if (!put_back) return false;
    for (std::size_t i = 0; i < rows.size(); ++i)
      raw_.time_ns[rows[i].row.row] -= i < *put_back ? hour.change.before_ns : hour.change.after_ns;
    return true;
  }

  // Time of the row before (-1) or after (1) the given row, if there is one.
  std::optional<std::int64_t> neighbour(const HourRow& row, int step, bool within_file) const {
    std::size_t i = row.piece;
    const auto end_of = [](const CsvPiece& piece) { return piece.first_row + piece.n_rows; };
    if (step < 0 && row.row.row > pieces_[i]->first_row) return raw_.time_ns[row.row.row - 1];
    if (step > 0 && row.row.row + 1 < end_of(*pieces_[i])) return raw_.time_ns[row.row.row + 1];
    while (step < 0 ? i > 0 : i + 1 < pieces_.size()) {
      i = step < 0 ? i - 1 : i + 1;
      const CsvPiece& piece = *pieces_[i];
      if (within_file && piece.file != pieces_[row.piece]->file) break;
      if (piece.n_rows == 0) continue;
      return raw_.time_ns[step < 0 ? end_of(piece) - 1 : piece.first_row];
    }
    return std::nullopt;
  }

  void leave_out(const std::vector<HourRow>& rows) {
    left_out_.resize(n_rows_, 0);
    for (const HourRow& row : rows) {
      CsvPiece& piece = *pieces_[row.piece];
      const File& file = files_[piece.file];
      left_out_[row.row.row] = 1;
      ++piece.n_problems;
      CsvProblem problem{
          file.name, line_number(file.text.data(), piece, row.row.line_begin), 0,
          fmt::format("expected an order of lines that shows when the clock is set back, but {} "
                      "occurs twice in {}; if the clock has no daylight saving time, pass its "
                      "offset, such as time_zone='+01:00'",
                      shown_time(raw_.time_ns[row.row.row]), options_.clock_name)};
      const auto position =
          std::ranges::upper_bound(piece.problems, problem.line, {}, &CsvProblem::line);
      piece.problems.insert(position, std::move(problem));
      if (piece.problems.size() > kMaxProblems) piece.problems.pop_back();
    }
  }

  void collect_problems() {
    for (const CsvPiece* piece : pieces_) {
      contents_.n_lines += piece->n_lines;
      contents_.n_problems += piece->n_problems;
      for (const CsvProblem& problem : piece->problems)
        if (contents_.problems.size() < kMaxProblems) contents_.problems.push_back(problem);
    }
  }

  void collect_zone() {
    const CsvPiece* utc = nullptr;
    const CsvPiece* local = nullptr;
    for (const CsvPiece* piece : pieces_) {
      if (piece->saw_utc && utc == nullptr) utc = piece;
      if (piece->saw_local && local == nullptr) local = piece;
    }
    require(
        utc == nullptr || local == nullptr,
        "read_csv: expected either all times with an offset from UTC or none, got some with one "
        "in {} and some without in {}",
        utc ? files_[utc->file].name : "", local ? files_[local->file].name : "");
    contents_.table.is_utc = utc != nullptr || clock_.has_value();
  }

  // A spreadsheet drops the seconds when it saves an export. The lines of one minute are then
  // spread evenly over it instead of being merged.
  void spread_within_minutes() {
    constexpr std::int64_t kMinute = 60'000'000'000;
    for (std::size_t file = 0; file < files_.size(); ++file) {
      std::vector<std::size_t> rows;
      for (const CsvPiece& piece : files_[file].pieces)
        rows.insert(rows.end(), piece.rows_without_seconds.begin(),
                    piece.rows_without_seconds.end());
      const auto minute = [&](std::size_t i) {
        const std::int64_t time = raw_.time_ns[rows[i]];
        return time / kMinute - (time % kMinute < 0 ? 1 : 0);
      };
      for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        for (end = begin + 1; end < rows.size() && minute(end) == minute(begin);) ++end;
        const auto n = static_cast<std::int64_t>(end - begin);
        for (std::int64_t i = 1; i < n; ++i)
          raw_.time_ns[rows[begin + static_cast<std::size_t>(i)]] += kMinute / n * i;
        if (n > 1) contents_.n_spread_times += end - begin;
      }
    }
  }

  void collect_rows() {
    std::size_t n_filled = 0;
    bool in_order = true;
    for (const CsvPiece* piece : pieces_) {
      in_order = in_order && piece->first_row == n_filled;
      n_filled += piece->n_rows;
    }
    in_order =
        in_order && std::is_sorted(raw_.time_ns.begin(), raw_.time_ns.end(), std::less_equal<>());
    if (in_order && n_filled == n_rows_ && left_out_.empty()) {
      contents_.table.time_ns = std::move(raw_.time_ns);
      contents_.table.values = std::move(raw_.values);
      return;
    }
    count_out_of_order();
    gather(order_rows(n_filled));
  }

  void count_out_of_order() {
    std::size_t file = files_.size();
    std::int64_t last = 0;
    for (const CsvPiece* piece : pieces_) {
      for (std::size_t row = piece->first_row; row < piece->first_row + piece->n_rows; ++row) {
        if (is_left_out(row)) continue;
        if (file == piece->file && raw_.time_ns[row] < last) ++contents_.n_out_of_order;
        file = piece->file;
        last = raw_.time_ns[row];
      }
    }
  }

  [[nodiscard]] bool is_left_out(std::size_t row) const {
    return !left_out_.empty() && left_out_[row] != 0;
  }

  RowOrder order_rows(std::size_t n_filled) {
    RowOrder order;
    order.rows.reserve(n_filled);
    for (const CsvPiece* piece : pieces_)
      for (std::size_t i = 0; i < piece->n_rows; ++i)
        if (!is_left_out(piece->first_row + i))
          order.rows.push_back(static_cast<Index>(piece->first_row + i));
    n_filled = order.rows.size();
    const auto time = [this](Index row) { return raw_.time_ns[static_cast<std::size_t>(row)]; };
    std::stable_sort(order.rows.begin(), order.rows.end(),
                     [&](Index a, Index b) { return time(a) < time(b); });
    for (std::size_t i = 0; i < n_filled; ++i) {
      if (i == 0 || time(order.rows[i]) != time(order.rows[i - 1]))
        order.starts.push_back(i);
      else if (file_of(order.rows[i]) == file_of(order.rows[i - 1]))
        ++contents_.n_repeated_in_file;
    }
    contents_.n_repeated_times = n_filled - order.starts.size();
    order.starts.push_back(n_filled);
    return order;
  }

  [[nodiscard]] std::size_t file_of(Index row) const {
    const auto next =
        std::ranges::upper_bound(pieces_, static_cast<std::size_t>(row), {},
                                 [](const CsvPiece* piece) { return piece->first_row; });
    return next[-1]->file;
  }

  void gather(const RowOrder& order) {
    TimeTable& table = contents_.table;
    const std::size_t n = order.starts.size() - 1;
    const Index n_columns = raw_.values.cols();
    table.time_ns.resize(n);
    table.values.resize(static_cast<Index>(n), n_columns);
    std::atomic<std::size_t> n_contradictory = 0;
    const auto work = [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const auto to = static_cast<Index>(i);
        const Index first = order.rows[order.starts[i]];
        table.time_ns[i] = raw_.time_ns[static_cast<std::size_t>(first)];
        std::ranges::copy(raw_.values.row(first), table.values.row(to).begin());
        bool contradictory = false;
        for (std::size_t j = order.starts[i] + 1; j < order.starts[i + 1]; ++j) {
          for (Index c = 0; c < n_columns; ++c) {
            const double later = raw_.values(order.rows[j], c);
            if (std::isnan(later)) continue;
            double& value = table.values(to, c);
            contradictory |= !std::isnan(value) && value != later;
            value = later;
          }
        }
        if (contradictory) n_contradictory.fetch_add(1, std::memory_order_relaxed);
      }
    };
    parallel_for(n, 1024, n_threads_, work);
    contents_.n_contradictory_times = n_contradictory;
  }

  const CsvOptions& options_;
  std::size_t n_threads_;
  std::optional<Clock> clock_;
  std::vector<File> files_;
  std::vector<std::shared_ptr<const CsvLayout>> layouts_;
  std::vector<CsvPiece*> pieces_;
  std::size_t n_rows_ = 0;  // an upper bound
  RawRows raw_;
  std::vector<char> left_out_;  // one per raw row; empty if no row is left out
  CsvContents contents_;
};

// The text as the parser expects it: UTF-8 with LF as line ends.
std::string_view prepare(File& file, Texts& texts, std::size_t index, CsvEncoding encoding) {
  std::optional<std::string> converted = to_utf8(texts.view(index), encoding, kBehind, file.name);
  char* text = texts.data(index);
  std::size_t size = texts.size(index);
  if (converted) {
    file.converted = std::move(*converted);
    text = file.converted.data();
    size = file.converted.size() - kBehind;
  }
  unify_line_ends(text, size);
  return {text, size};
}

std::shared_ptr<const CsvHeader> header_of(const File& file, const File& first,
                                           const CsvOptions& options) {
  const bool alike =
      first.header != nullptr && file.text.starts_with(first.text.substr(0, first.header->end));
  if (!alike)
    return std::make_shared<const CsvHeader>(read_csv_header(file.text, options, file.name));
  if (first.header->decimal_is_known) return first.header;
  auto header = std::make_shared<CsvHeader>(*first.header);
  find_decimal(file.text, *header);
  return header;
}

}  // namespace

CsvContents read_csv(std::span<const CsvSource> sources, const CsvOptions& options, int n_jobs,
                     const Progress& progress) {
  require(!sources.empty(), "read_csv: expected at least 1 file, got 0");
  check_options(options);
  const std::size_t n_threads = resolve_threads(n_jobs);
  Texts texts(sizes_of(sources));
  std::vector<File> files(sources.size());
  const auto read_one = [&](std::size_t i) {
    File& file = files[i];
    file.name = sources[i].path.string();
    if (sources[i].text)
      std::ranges::copy(*sources[i].text, texts.data(i));
    else
      read_text(sources[i].path, texts, i);
    file.text = prepare(file, texts, i, options.encoding);
    file.header = header_of(file, files[0], options);
    cut_into_pieces(file, i);
  };
  read_one(0);
  const auto read_others = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) read_one(i + 1);
  };
  // Only lets `progress` stop the reading; progress itself counts the parsing.
  const Progress listen = [&](std::size_t, std::size_t n) { return !progress || progress(0, n); };
  parallel_for(sources.size() - 1, 1, n_threads, read_others, progress ? listen : Progress());
  return Reader(options, n_threads).read(std::move(files), progress);
}

CsvContents read_csv(std::span<const std::filesystem::path> paths, const CsvOptions& options,
                     int n_jobs, const Progress& progress) {
  std::vector<CsvSource> sources;
  for (const auto& path : paths) sources.push_back({path});
  return read_csv(sources, options, n_jobs, progress);
}

CsvContents read_csv(const std::filesystem::path& path, const CsvOptions& options, int n_jobs,
                     const Progress& progress) {
  return read_csv(std::span(&path, 1), options, n_jobs, progress);
}

CsvContents parse_csv(std::string_view text, const CsvOptions& options, std::string_view name) {
  const CsvSource source{name, text};
  return read_csv(std::span(&source, 1), options, 1);
}

}  // namespace secondlook
