#include "image/image_header.hpp"

#include <algorithm>
#include <string_view>

namespace secondlook::image {

namespace {

using Bytes = std::span<const std::byte>;

enum class Endian { little, big };

std::uint8_t byte_at(Bytes bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

bool starts_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(), [](char wanted, std::byte got) {
           return static_cast<std::uint8_t>(wanted) == std::to_integer<std::uint8_t>(got);
         });
}

/// An unsigned number of `n` bytes; nothing where they are not all there.
std::optional<std::uint64_t> number(Bytes bytes, std::uint64_t at, std::size_t n, Endian endian) {
  if (at > bytes.size() || bytes.size() - at < n) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t place = endian == Endian::big ? i : n - 1 - i;
    value = value << 8 | byte_at(bytes, at + place);
  }
  return value;
}

// ---- PNG: chunks of length, name, data and checksum, the first IHDR and the last IEND ----

std::optional<ImageHeader> read_png(Bytes bytes) {
  const auto width = number(bytes, 16, 4, Endian::big);
  const auto height = number(bytes, 20, 4, Endian::big);
  if (!width || !height) return std::nullopt;
  ImageHeader header{*width, *height, false};
  std::uint64_t at = 8;
  while (const auto length = number(bytes, at, 4, Endian::big)) {
    // OpenCV allocates what a chunk says to hold, whether it is there or not.
    if (at + 12 + *length > bytes.size()) break;
    if (starts_with(bytes.subspan(at + 4), "IEND")) {
      header.complete = true;
      break;
    }
    at += 12 + *length;
  }
  return header;
}

// ---- JPEG: segments that begin with a marker; SOF0 to SOF15 hold the size, EOI ends it all ----

bool is_frame(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool stands_alone(std::uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

std::optional<ImageHeader> read_jpeg(Bytes bytes) {
  std::optional<ImageHeader> header;
  for (std::size_t at = 0; at + 1 < bytes.size();) {
    // What follows the start of a scan is data up to the next marker; FF 00 there is data too.
    if (byte_at(bytes, at) != 0xFF || byte_at(bytes, at + 1) == 0xFF ||
        byte_at(bytes, at + 1) == 0x00) {
      ++at;
      continue;
    }
    const std::uint8_t marker = byte_at(bytes, at + 1);
    at += 2;
    if (marker == 0xD9) {
      if (header) header->complete = true;
      break;
    }
    if (stands_alone(marker)) continue;
    const auto length = number(bytes, at, 2, Endian::big);
    if (!length) break;
    if (is_frame(marker) && !header) {
      const auto height = number(bytes, at + 3, 2, Endian::big);
      const auto width = number(bytes, at + 5, 2, Endian::big);
      if (!height || !width) break;
      header = ImageHeader{*width, *height, false};
    }
    at += std::max<std::uint64_t>(*length, 2);
  }
  return header;
}

// ---- TIFF: a directory of tags, 12 bytes each (BigTIFF: 20) ----

std::optional<ImageHeader> read_tiff(Bytes bytes, Endian endian, bool big) {
  const std::size_t word = big ? 8 : 4;  // bytes of an offset, of a count
  const auto directory = number(bytes, big ? 8 : 4, word, endian);
  if (!directory) return std::nullopt;
  const std::size_t count_bytes = big ? 8 : 2;
  const auto n_tags = number(bytes, *directory, count_bytes, endian);
  if (!n_tags) return std::nullopt;
  ImageHeader header;
  constexpr std::uint64_t width_tag = 256, height_tag = 257;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(*n_tags, 65536); ++i) {
    const std::uint64_t at = *directory + count_bytes + i * (big ? 20 : 12);
    const auto tag = number(bytes, at, 2, endian);
    const auto type = number(bytes, at + 2, 2, endian);
    if (!tag || !type) break;
    const std::size_t n_bytes = *type == 3 ? 2 : *type == 16 ? 8 : 4;
    const auto value = number(bytes, at + 4 + word, n_bytes, endian);
    if (!value) break;
    if (*tag == width_tag) header.width = *value;
    if (*tag == height_tag) header.height = *value;
  }
  if (header.width == 0 || header.height == 0) return std::nullopt;
  return header;
}

// ---- BMP: the size lies behind the length of the second header; a height below 0 is top-down ----

std::optional<ImageHeader> read_bmp(Bytes bytes) {
  const auto length = number(bytes, 14, 4, Endian::little);
  if (!length) return std::nullopt;
  const std::size_t side = *length == 12 ? 2 : 4;
  const auto width = number(bytes, 18, side, Endian::little);
  const auto height = number(bytes, 18 + side, side, Endian::little);
  if (!width || !height) return std::nullopt;
  const bool top_down = side == 4 && (*height & 0x80000000U) != 0;
  return ImageHeader{*width, top_down ? 0x100000000U - *height : *height, true};
}

}  // namespace

std::optional<ImageHeader> read_image_header(Bytes bytes) {
  using std::string_view_literals::operator""sv;
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n"sv)) return read_png(bytes);
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return read_jpeg(bytes);
  if (starts_with(bytes, "II*\0"sv)) return read_tiff(bytes, Endian::little, false);
  if (starts_with(bytes, "MM\0*"sv)) return read_tiff(bytes, Endian::big, false);
  if (starts_with(bytes, "II+\0"sv)) return read_tiff(bytes, Endian::little, true);
  if (starts_with(bytes, "MM\0+"sv)) return read_tiff(bytes, Endian::big, true);
  if (starts_with(bytes, "BM"sv)) return read_bmp(bytes);
  return std::nullopt;
}

}  // namespace secondlook::image
