#include "image/codec/image_header.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "image/codec/tiff_directory.hpp"

namespace secondlook::image {

namespace {

using Bytes = std::span<const std::byte>;

std::uint8_t byte_at(Bytes bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

bool starts_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(), [](char wanted, std::byte got) {
           return static_cast<std::uint8_t>(wanted) == std::to_integer<std::uint8_t>(got);
         });
}

// ---- PNG: chunks of length, name, data and checksum; the first is IHDR, the last IEND ----

std::optional<ImageHeader> read_png(Bytes bytes) {
  const auto width = number(bytes, 16, 4, Endian::big);
  const auto height = number(bytes, 20, 4, Endian::big);
  if (!width || !height) return std::nullopt;
  ImageHeader header{
      .format = ImageFormat::png, .width = *width, .height = *height, .complete = false};
  constexpr std::uint8_t colour_bit = 2;
  header.is_grey = bytes.size() > 25 && (byte_at(bytes, 25) & colour_bit) == 0;
  std::uint64_t at = 8;
  while (const auto length = number(bytes, at, 4, Endian::big)) {
    // OpenCV allocates the stated length of a chunk, whether the bytes are present or not.
    if (at + 12 + *length > bytes.size()) break;
    if (starts_with(bytes.subspan(at + 4), "acTL"))  // an animation, with its number of frames
      header.n_pages = number(bytes, at + 8, 4, Endian::big).value_or(1);
    if (starts_with(bytes.subspan(at + 4), "IEND")) {
      header.complete = true;
      break;
    }
    at += 12 + *length;
  }
  return header;
}

// ---- JPEG: segments that begin with a marker; SOF0 to SOF15 have the size, EOI is the end ----

bool is_frame(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool stands_alone(std::uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

std::optional<ImageHeader> read_jpeg(Bytes bytes) {
  std::optional<ImageHeader> header;
  for (std::size_t at = 0; at + 1 < bytes.size();) {
    // After the start of a scan there is data up to the next marker; FF 00 is data as well.
    if (byte_at(bytes, at) != 0xFF || byte_at(bytes, at + 1) == 0xFF ||
        byte_at(bytes, at + 1) == 0x00) {
      ++at;
      continue;
    }
    const std::uint8_t marker = byte_at(bytes, at + 1);
    at += 2;
    if (marker == 0xD9) {
      if (header) {
        header->complete = true;
        header->end = at - 2;
      }
      break;
    }
    if (stands_alone(marker)) continue;
    const auto length = number(bytes, at, 2, Endian::big);
    if (!length) break;
    if (is_frame(marker) && !header) {
      const auto height = number(bytes, at + 3, 2, Endian::big);
      const auto width = number(bytes, at + 5, 2, Endian::big);
      if (!height || !width) break;
      header = ImageHeader{
          .format = ImageFormat::jpeg, .width = *width, .height = *height, .complete = false};
    }
    at += std::max<std::uint64_t>(*length, 2);
  }
  return header;
}

// ---- TIFF: one directory of tags per page, each with the offset of the next ----

constexpr std::uint16_t kNewSubfileType = 254, kSubfileType = 255;
constexpr std::uint16_t kImageWidth = 256, kImageLength = 257;

/// Whether it is a page rather than a smaller copy or an opacity mask.
bool is_page(const TiffDirectory& directory) {
  constexpr std::uint64_t smaller = 1, mask = 4, old_smaller = 2;
  return (directory.value(kNewSubfileType).value_or(0) & (smaller | mask)) == 0 &&
         directory.value(kSubfileType) != old_smaller;
}

std::optional<ImageHeader> read_tiff(Bytes bytes, std::size_t page) {
  const auto first = TiffDirectory::first(bytes);
  if (!first) return std::nullopt;
  constexpr std::size_t most_directories = 65536;
  ImageHeader header{.format = ImageFormat::tiff, .n_pages = 0};
  std::optional<TiffDirectory> chosen;
  std::set<std::uint64_t> seen;
  auto directory = first;
  while (directory && seen.insert(directory->offset()).second && seen.size() < most_directories) {
    if (is_page(*directory) && (header.n_pages++ == page || !chosen)) chosen = directory;
    const std::uint64_t next = directory->next_offset();
    if (next == 0) break;
    directory = directory->at(next);
    header.complete = directory.has_value();
  }
  if (!chosen) chosen = first;  // there are only smaller copies
  header.n_pages = std::max<std::size_t>(header.n_pages, 1);
  header.directory = chosen->offset();
  header.width = chosen->value(kImageWidth).value_or(0);
  header.height = chosen->value(kImageLength).value_or(0);
  if (header.width == 0 || header.height == 0) return std::nullopt;
  return header;
}

// ---- BMP: the size follows the length of the second header; negative heights are top-down ----

std::optional<ImageHeader> read_bmp(Bytes bytes) {
  const auto length = number(bytes, 14, 4, Endian::little);
  if (!length) return std::nullopt;
  const std::size_t side = *length == 12 ? 2 : 4;
  const auto width = number(bytes, 18, side, Endian::little);
  const auto height = number(bytes, 18 + side, side, Endian::little);
  if (!width || !height) return std::nullopt;
  const bool top_down = side == 4 && (*height & 0x80000000U) != 0;
  return ImageHeader{.format = ImageFormat::bmp,
                     .width = *width,
                     .height = top_down ? 0x100000000U - *height : *height};
}

}  // namespace

std::optional<ImageHeader> read_image_header(Bytes bytes, std::size_t page) {
  using std::string_view_literals::operator""sv;
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n"sv)) return read_png(bytes);
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return read_jpeg(bytes);
  if (starts_with(bytes, "BM"sv)) return read_bmp(bytes);
  return read_tiff(bytes, page);
}

}  // namespace secondlook::image
