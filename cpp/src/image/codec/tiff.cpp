#include "image/codec/tiff.hpp"

#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/validation.hpp"
#include "image/codec/orientation.hpp"

namespace secondlook::image {

namespace {

using Bytes = std::span<const std::byte>;

// ---- libtiff over bytes in memory ----

/// Source of the bytes for libtiff, and its messages.
struct Source {
  Bytes bytes;
  std::uint64_t position = 0;
  std::string error = {};  // the first one
};

tmsize_t read(thandle_t handle, void* target, tmsize_t n_wanted) {
  auto& source = *static_cast<Source*>(handle);
  const std::uint64_t n_left = source.bytes.size() - source.position;
  const auto n = std::min<std::uint64_t>(static_cast<std::uint64_t>(n_wanted), n_left);
  if (n > 0) std::memcpy(target, source.bytes.data() + source.position, n);
  source.position += n;
  return static_cast<tmsize_t>(n);
}

tmsize_t refuse_to_write(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  if (whence == SEEK_CUR) offset += source.position;
  if (whence == SEEK_END) offset += source.bytes.size();
  source.position = std::min<std::uint64_t>(offset, source.bytes.size());
  return source.position;
}

int close(thandle_t) { return 0; }
toff_t size(thandle_t handle) { return static_cast<Source*>(handle)->bytes.size(); }

void keep_first(Source& source, const char* format, std::va_list arguments) {
  if (!source.error.empty()) return;
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  source.error = text;
}

int take_error(TIFF*, void* source, const char*, const char* format, std::va_list arguments) {
  keep_first(*static_cast<Source*>(source), format, arguments);
  return 1;
}

/// Warnings about unknown tags are ignored, but its JPEG decoder only warns of damage.
int take_warning(TIFF*, void* source, const char* module, const char* format,
                 std::va_list arguments) {
  if (module != nullptr && std::string_view(module) == "JPEGLib")
    keep_first(*static_cast<Source*>(source), format, arguments);
  return 1;
}

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Tiff open(Source& source) {
  constexpr tmsize_t largest_allocation = tmsize_t{1} << 30;
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), &TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), &take_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), &take_warning, &source);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), largest_allocation);
  // Not mapped into memory ("m"), because libtiff would then write to the bytes.
  return {TIFFClientOpenExt("", "rm", &source, &read, &refuse_to_write, &seek, &close, &size,
                            nullptr, nullptr, options.get()),
          &TIFFClose};
}

std::string reason(const Source& source) {
  return source.error.empty() ? "libtiff does not say why" : source.error;
}

// ---- Tags ----

struct Layout {
  int height = 0, width = 0;
  std::uint16_t n_samples = 1, n_bits = 1, kind = SAMPLEFORMAT_UINT;
  std::uint16_t planes = PLANARCONFIG_CONTIG, photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t orientation = ORIENTATION_TOPLEFT;
  std::vector<std::uint16_t> extra;  // meaning of the samples beside grey or colours

  [[nodiscard]] bool is_grey() const {
    return photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
  }
  /// Whether values can be shown as they are: no palette, inks, or brightness and hue.
  [[nodiscard]] bool is_plain() const { return is_grey() || photometric == PHOTOMETRIC_RGB; }
  [[nodiscard]] int n_colours() const { return is_grey() ? 1 : 3; }
  /// Whether values are those of an image rather than physical ones.
  [[nodiscard]] bool is_picture() const { return kind == SAMPLEFORMAT_UINT && n_bits <= 16; }
  [[nodiscard]] bool is_packed() const { return n_bits % 8 != 0; }
};

Layout layout_of(TIFF* tiff) {
  Layout l;
  std::uint32_t height = 0, width = 0;
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  l.height = static_cast<int>(height);
  l.width = static_cast<int>(width);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &l.n_samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &l.n_bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &l.kind);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &l.planes);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &l.orientation);
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &l.photometric) == 0)
    l.photometric = l.n_samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  if (l.kind == SAMPLEFORMAT_VOID) l.kind = SAMPLEFORMAT_UINT;
  std::uint16_t n_extra = 0;
  std::uint16_t* extra = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &n_extra, &extra) != 0)
    l.extra.assign(extra, extra + n_extra);
  return l;
}

std::string kind_text(const Layout& l) {
  switch (l.kind) {
    case SAMPLEFORMAT_UINT:
      return "unsigned";
    case SAMPLEFORMAT_INT:
      return "signed";
    case SAMPLEFORMAT_IEEEFP:
      return "floating-point";
    default:
      return "complex";
  }
}

/// OpenCV's type for the samples, unpacked to bytes; -1 if they are not supported. Unsigned 32-bit
/// values are stored as signed ones.
int depth_of(const Layout& l) {
  const int n = l.n_bits;
  if (l.kind == SAMPLEFORMAT_UINT && n <= 16) return n <= 8 ? CV_8U : CV_16U;
  if (l.kind == SAMPLEFORMAT_UINT) return n == 32 ? CV_32S : -1;
  if (l.kind == SAMPLEFORMAT_INT) return n == 8 ? CV_8S : n == 16 ? CV_16S : n == 32 ? CV_32S : -1;
  if (l.kind == SAMPLEFORMAT_IEEEFP)
    return n == 16 ? CV_16F : n == 32 ? CV_32F : n == 64 ? CV_64F : -1;
  return -1;
}

void check_plain(const Layout& l) {
  require(depth_of(l) >= 0,
          "expected values of up to 16 bits, of 32 bits, or floats of 16, 32 or 64 bits, got {} "
          "ones of {} bits",
          kind_text(l), l.n_bits);
  const int n_more = l.n_samples - l.n_colours();
  require(n_more == 0 || (n_more == 1 && (!l.extra.empty() || !l.is_grey())),
          "expected {} and at most opacity beside it, got {} bands per pixel",
          l.is_grey() ? "1 band of grey" : "3 bands of colour", l.n_samples);
}

// ---- Samples ----

/// Fills rows with packed samples as in the file, of all planes or of one.
void read_rows(TIFF* tiff, const Source& source, cv::Mat& rows, std::uint16_t plane) {
  const auto check = [&](bool condition) {
    require(condition && source.error.empty(), "the TIFF is damaged: {}", reason(source));
  };
  const auto n_rows = static_cast<std::uint32_t>(rows.rows);
  const auto row_bytes = static_cast<tmsize_t>(rows.cols * rows.elemSize());
  if (TIFFIsTiled(tiff) == 0) {
    std::uint32_t strip_rows = 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &strip_rows);
    check(strip_rows > 0 && TIFFScanlineSize(tiff) == row_bytes);
    for (std::uint32_t y = 0; y < n_rows; y += std::min(strip_rows, n_rows - y)) {
      const tmsize_t n = row_bytes * std::min(strip_rows, n_rows - y);
      const auto strip = TIFFComputeStrip(tiff, y, plane);
      check(TIFFReadEncodedStrip(tiff, strip, rows.ptr(static_cast<int>(y)), n) == n);
    }
    return;
  }
  std::uint32_t tile_height = 0, tile_width = 0;
  TIFFGetField(tiff, TIFFTAG_TILELENGTH, &tile_height);
  TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &tile_width);
  const tmsize_t tile_bytes = TIFFTileSize(tiff), tile_row_bytes = TIFFTileRowSize(tiff);
  constexpr tmsize_t most_tile_bytes = tmsize_t{1} << 30;
  check(tile_height > 0 && tile_width > 0 && tile_row_bytes > 0 && tile_bytes > 0 &&
        tile_bytes <= most_tile_bytes && tile_bytes / tile_row_bytes >= tile_height);
  std::vector<std::uint8_t> tile(static_cast<std::size_t>(tile_bytes));
  for (std::uint32_t y = 0; y < n_rows; y += std::min(tile_height, n_rows - y)) {
    // A row of tiles covers a row of the image: the same number of bytes from each, and the rest
    // from the last.
    std::uint32_t x = 0;
    for (tmsize_t begin = 0; begin < row_bytes; begin += tile_row_bytes, x += tile_width) {
      const auto index = TIFFComputeTile(tiff, x, y, 0, plane);
      check(TIFFReadEncodedTile(tiff, index, tile.data(), tile_bytes) == tile_bytes);
      const auto n = static_cast<std::size_t>(std::min(tile_row_bytes, row_bytes - begin));
      for (std::uint32_t row = 0; row < std::min(tile_height, n_rows - y); ++row)
        std::memcpy(rows.ptr(static_cast<int>(y + row)) + begin,
                    tile.data() + row * static_cast<std::size_t>(tile_row_bytes), n);
    }
  }
}

/// Unpacks samples of any number of bits, highest bit first; each row begins at a byte.
template <class Value>
void unpack(const cv::Mat& rows, unsigned n_bits, cv::Mat& samples) {
  for (int y = 0; y < samples.rows; ++y) {
    const std::uint8_t* in = rows.ptr(y);
    auto* out = samples.ptr<Value>(y);
    std::uint32_t waiting = 0;
    unsigned n_waiting = 0;
    for (int i = 0; i < samples.cols * samples.channels(); ++i) {
      while (n_waiting < n_bits) {
        waiting = waiting << 8 | *in++;
        n_waiting += 8;
      }
      n_waiting -= n_bits;
      out[i] = static_cast<Value>(waiting >> n_waiting & ((1U << n_bits) - 1));
    }
  }
}

/// Samples of all planes or of one, with the type given by `depth_of`.
cv::Mat read_samples(TIFF* tiff, const Source& source, const Layout& l, std::uint16_t plane) {
  const int n_channels = l.planes == PLANARCONFIG_SEPARATE ? 1 : l.n_samples;
  cv::Mat samples(l.height, l.width, CV_MAKETYPE(depth_of(l), n_channels));
  if (!l.is_packed()) {
    read_rows(tiff, source, samples, plane);
    return samples;
  }
  const std::int64_t row_bits = std::int64_t{l.width} * n_channels * l.n_bits;
  cv::Mat rows(l.height, static_cast<int>((row_bits + 7) / 8), CV_8U);
  read_rows(tiff, source, rows, plane);
  if (l.n_bits < 8) unpack<std::uint8_t>(rows, l.n_bits, samples);
  if (l.n_bits > 8) unpack<std::uint16_t>(rows, l.n_bits, samples);
  return samples;
}

cv::Mat read_all_samples(TIFF* tiff, const Source& source, const Layout& l) {
  if (l.planes != PLANARCONFIG_SEPARATE) return read_samples(tiff, source, l, 0);
  std::vector<cv::Mat> planes;
  for (std::uint16_t plane = 0; plane < l.n_samples; ++plane)
    planes.push_back(read_samples(tiff, source, l, plane));
  cv::Mat samples;
  cv::merge(planes, samples);
  return samples;
}

// ---- From samples to pixels ----

/// Scales values of fewer bits to 8 or 16, and makes zero black.
cv::Mat filled(const cv::Mat& samples, const Layout& l) {
  const int largest = (1 << l.n_bits) - 1;
  // Values of 9 to 15 bits are shifted to the upper bits; those below 8 bits fill the range
  // exactly.
  const double factor = l.n_bits < 8 ? 255.0 / largest : l.n_bits > 8 ? 1 << (16 - l.n_bits) : 1;
  const bool inverted = l.photometric == PHOTOMETRIC_MINISWHITE;
  if (factor == 1 && !inverted) return samples;
  cv::Mat pixels;
  samples.convertTo(pixels, -1, inverted ? -factor : factor, inverted ? factor * largest : 0);
  return pixels;
}

cv::Mat as_floats(const cv::Mat& samples, const Layout& l) {
  cv::Mat pixels;
  if (l.kind != SAMPLEFORMAT_UINT) {
    samples.convertTo(pixels, CV_32F);
    return pixels;
  }
  pixels.create(samples.size(), CV_MAKETYPE(CV_32F, samples.channels()));
  for (int y = 0; y < samples.rows; ++y)
    std::transform(
        samples.ptr<std::int32_t>(y),
        samples.ptr<std::int32_t>(y) + samples.cols * samples.channels(), pixels.ptr<float>(y),
        [](std::int32_t value) { return static_cast<float>(static_cast<std::uint32_t>(value)); });
  return pixels;
}

template <class Value>
void divide_by_opacity(cv::Mat& pixels) {
  constexpr unsigned largest = static_cast<Value>(-1);
  const int n = pixels.channels();
  for (int y = 0; y < pixels.rows; ++y) {
    auto* values = pixels.ptr<Value>(y);
    for (int x = 0; x < pixels.cols; ++x, values += n)
      for (int channel = 0; channel + 1 < n; ++channel) {
        const unsigned opacity = std::max<unsigned>(values[n - 1], 1);
        const std::uint64_t whole =
            (std::uint64_t{values[channel]} * largest + opacity / 2) / opacity;
        values[channel] = static_cast<Value>(std::min<std::uint64_t>(whole, largest));
      }
  }
}

cv::Mat without_opacity(cv::Mat pixels, const Layout& l) {
  if (l.n_samples == l.n_colours()) return pixels;
  if (!l.extra.empty() && l.extra[0] == EXTRASAMPLE_ASSOCALPHA) {
    if (pixels.depth() == CV_8U) divide_by_opacity<std::uint8_t>(pixels);
    if (pixels.depth() == CV_16U) divide_by_opacity<std::uint16_t>(pixels);
  }
  cv::Mat result;
  if (l.is_grey()) {
    cv::extractChannel(pixels, result, 0);
  } else {
    cv::cvtColor(pixels, result, cv::COLOR_RGBA2RGB);
  }
  return result;
}

/// Palettes, inks, brightness and hue, which libtiff converts to 8-bit colours.
cv::Mat read_as_colours(TIFF* tiff, const Source& source, const Layout& l) {
  char why_not[1024] = "";
  require(l.n_bits <= 8 && TIFFRGBAImageOK(tiff, why_not) != 0,
          "expected grey or RGB, or other colours of 8 bits, got {}",
          l.n_bits <= 8 ? why_not : fmt::format("other colours of {} bits", l.n_bits));
  cv::Mat raster(l.height, l.width, CV_8UC4);
  // The orientation of the file, so that libtiff does not rotate.
  const bool read = TIFFReadRGBAImageOriented(tiff, static_cast<std::uint32_t>(l.width),
                                              static_cast<std::uint32_t>(l.height),
                                              reinterpret_cast<std::uint32_t*>(raster.data),
                                              l.orientation, /*stop=*/1) != 0;
  require(read && source.error.empty(), "the TIFF is damaged: {}", reason(source));
  cv::Mat pixels;
  cv::cvtColor(raster, pixels, cv::COLOR_RGBA2RGB);
  return pixels;
}

}  // namespace

cv::Mat decode_tiff(Bytes bytes, const ImageHeader& header) {
  Source source{.bytes = bytes};
  const Tiff tiff = open(source);
  require(tiff != nullptr && (TIFFCurrentDirOffset(tiff.get()) == header.directory ||
                              TIFFSetSubDirectory(tiff.get(), header.directory) != 0),
          "the TIFF is damaged: {}", reason(source));
  const Layout l = layout_of(tiff.get());
  require(static_cast<std::uint64_t>(l.width) == header.width &&
              static_cast<std::uint64_t>(l.height) == header.height,
          "the TIFF is damaged: it states two sizes");
  source.error.clear();  // about tags that libtiff does not need
  cv::Mat pixels;
  if (l.is_plain()) {
    check_plain(l);
    pixels = read_all_samples(tiff.get(), source, l);
    pixels = without_opacity(l.is_picture() ? filled(pixels, l) : as_floats(pixels, l), l);
  } else {
    pixels = read_as_colours(tiff.get(), source, l);
  }
  return upright(pixels, l.orientation);
}

}  // namespace secondlook::image
