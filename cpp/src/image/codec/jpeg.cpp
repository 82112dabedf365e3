#include "image/codec/jpeg.hpp"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

// After <cstdio>, which it needs.
#include <jpeglib.h>

// After jpeglib.h, whose version determines the numbers of the messages.
#include <jerror.h>

#include "core/validation.hpp"
#include "image/codec/orientation.hpp"

namespace secondlook::image {

namespace {

using Bytes = std::span<const std::byte>;

/// State of libjpeg, and the target of the jump on an error: no exception may pass through C code.
struct Decoder {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  std::jmp_buf stop;
  char message[JMSG_LENGTH_MAX];
  Bytes until_end;  // the bytes before the end marker
};

[[noreturn]] void stop_with_message(j_common_ptr info) {
  auto& decoder = *static_cast<Decoder*>(info->client_data);
  decoder.errors.format_message(info, decoder.message);
  std::longjmp(decoder.stop, 1);
}

/// Whether only a few zeros precede the end marker, as some cameras write them.
bool is_padding(Bytes until_end, int n_bytes) {
  constexpr int most = 16;
  return n_bytes <= most && static_cast<std::size_t>(n_bytes) <= until_end.size() &&
         std::ranges::all_of(until_end.last(static_cast<std::size_t>(n_bytes)),
                             [](std::byte value) { return value == std::byte{0}; });
}

/// Whether a warning means that pixels are lost; the others are about mistakes of the writer.
bool is_damage(const Decoder& decoder) {
  const auto& errors = decoder.errors;
  switch (errors.msg_code) {
    case JWRN_EXTRANEOUS_DATA:  // a number of bytes before a marker
      return errors.msg_parm.i[1] != JPEG_EOI ||
             !is_padding(decoder.until_end, errors.msg_parm.i[0]);
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
      return false;
    default:
      return true;
  }
}

void take_warning(j_common_ptr info, int level) {
  // Levels of at least 0 are traces, not warnings.
  if (level < 0 && is_damage(*static_cast<Decoder*>(info->client_data))) stop_with_message(info);
}

void say_nothing(j_common_ptr) {}

/// The EXIF block, starting at its TIFF header; empty if there is none.
Bytes exif_of(const jpeg_decompress_struct& info) {
  using std::string_view_literals::operator""sv;
  constexpr auto name = "Exif\0\0"sv;
  for (const auto* marker = info.marker_list; marker != nullptr; marker = marker->next)
    if (marker->data_length > name.size() &&
        std::memcmp(marker->data, name.data(), name.size()) == 0)
      return std::as_bytes(std::span(marker->data, marker->data_length)).subspan(name.size());
  return {};
}

/// Converts ink to light; Adobe stores it inverted.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, int width) {
  for (int i = 0; i < width; ++i, cmyk += 4, rgb += 3)
    for (int channel = 0; channel < 3; ++channel) {
      const int ink = 255 - cmyk[channel], key = cmyk[3];
      rgb[channel] = static_cast<std::uint8_t>(key - (ink * key >> 8));
    }
}

/// Returns false on an error, whose message is then in the decoder. No object in here may need a
/// destructor, because a jump would skip it.
bool read_header(Decoder& decoder, const unsigned char* data, unsigned long size) {
  if (setjmp(decoder.stop) != 0) return false;
  auto& info = decoder.info;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, data, size);
  jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&info, TRUE);
  const bool is_grey = info.num_components == 1;
  const bool has_ink = info.num_components == 4;
  info.out_color_space = is_grey ? JCS_GRAYSCALE : has_ink ? JCS_CMYK : JCS_RGB;
  return true;
}

/// Whether a progressive file ends before all bits of its pixels.
bool lacks_scans(const jpeg_decompress_struct& info) {
  if (info.progressive_mode == FALSE) return false;
  for (int component = 0; component < info.num_components; ++component) {
    const auto& n_bits_missing = info.coef_bits[component];  // −1: not part of any scan
    if (std::ranges::any_of(n_bits_missing, [](int n) { return n > 0; })) return true;
  }
  return false;
}

/// As above.
bool read_rows(Decoder& decoder, std::uint8_t* pixels, std::size_t row_bytes, std::uint8_t* inks) {
  if (setjmp(decoder.stop) != 0) return false;
  auto& info = decoder.info;
  jpeg_start_decompress(&info);
  if (lacks_scans(info)) {
    std::strcpy(decoder.message, "its last scans are missing");
    return false;
  }
  while (info.output_scanline < info.output_height) {
    std::uint8_t* const target = pixels + info.output_scanline * row_bytes;
    JSAMPROW row = inks != nullptr ? inks : target;
    jpeg_read_scanlines(&info, &row, 1);
    if (inks != nullptr) cmyk_to_rgb(inks, target, static_cast<int>(info.output_width));
  }
  jpeg_finish_decompress(&info);
  return true;
}

struct DecoderCloser {
  Decoder& decoder;
  ~DecoderCloser() { jpeg_destroy_decompress(&decoder.info); }
};

}  // namespace

cv::Mat decode_jpeg(Bytes bytes, const ImageHeader& header) {
  Decoder decoder{};
  auto& info = decoder.info;
  info.err = jpeg_std_error(&decoder.errors);
  info.client_data = &decoder;
  decoder.until_end = bytes.first(header.end);
  decoder.errors.error_exit = stop_with_message;
  decoder.errors.emit_message = take_warning;
  decoder.errors.output_message = say_nothing;
  const DecoderCloser closer{decoder};
  constexpr auto damaged = "the JPEG is damaged: {}";
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  require(read_header(decoder, data, bytes.size()), damaged, decoder.message);
  require(info.data_precision == 8, "expected a JPEG of 8 bits, got one of {}",
          info.data_precision);

  require(info.image_width == header.width && info.image_height == header.height, damaged,
          "it states two sizes");

  const int orientation = exif_orientation(exif_of(info));  // read before libjpeg frees it
  const int height = static_cast<int>(info.image_height),
            width = static_cast<int>(info.image_width);
  cv::Mat pixels(height, width, info.out_color_space == JCS_GRAYSCALE ? CV_8UC1 : CV_8UC3);
  std::vector<std::uint8_t> inks;
  if (info.out_color_space == JCS_CMYK) inks.resize(4 * static_cast<std::size_t>(width));
  require(read_rows(decoder, pixels.data, pixels.step, inks.empty() ? nullptr : inks.data()),
          damaged, decoder.message);
  return upright(pixels, orientation);
}

}  // namespace secondlook::image
