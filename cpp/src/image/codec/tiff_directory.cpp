#include "image/codec/tiff_directory.hpp"

namespace secondlook::image {

namespace {

constexpr std::uint64_t kMostTags = 4096;  // the limit of libtiff
constexpr std::uint16_t kClassic = 42, kBig = 43;

/// Bytes per value of a type; 0 for types other than whole numbers.
std::size_t bytes_of_type(std::uint64_t type) {
  switch (type) {
    case 1:  // BYTE
      return 1;
    case 3:  // SHORT
      return 2;
    case 4:   // LONG
    case 13:  // IFD
      return 4;
    case 16:  // LONG8
    case 18:  // IFD8
      return 8;
    default:
      return 0;
  }
}

}  // namespace

std::optional<std::uint64_t> number(std::span<const std::byte> bytes, std::uint64_t at,
                                    std::size_t n, Endian endian) {
  if (at > bytes.size() || bytes.size() - at < n) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t index = endian == Endian::big ? i : n - 1 - i;
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + index]);
  }
  return value;
}

std::optional<TiffDirectory> TiffDirectory::first(std::span<const std::byte> bytes) {
  const auto order = number(bytes, 0, 2, Endian::big);
  if (order != 0x4949U && order != 0x4D4DU) return std::nullopt;  // "II" or "MM"
  const Endian endian = order == 0x4949U ? Endian::little : Endian::big;
  const auto version = number(bytes, 2, 2, endian);
  if (version != kClassic && version != kBig) return std::nullopt;
  const bool big = version == kBig;
  const auto offset = number(bytes, big ? 8 : 4, big ? 8 : 4, endian);
  if (!offset) return std::nullopt;
  return TiffDirectory(bytes, endian, big).at(*offset);
}

std::optional<TiffDirectory> TiffDirectory::at(std::uint64_t offset) const {
  TiffDirectory directory = *this;
  const auto n_tags = number(bytes_, offset, count_bytes(), endian_);
  if (!n_tags || *n_tags > kMostTags) return std::nullopt;
  directory.offset_ = offset;
  directory.n_tags_ = *n_tags;
  return directory;
}

std::optional<std::uint64_t> TiffDirectory::value(std::uint16_t tag) const {
  for (std::uint64_t i = 0; i < n_tags_; ++i) {
    const std::uint64_t at = offset_ + count_bytes() + i * tag_bytes();
    const auto here = number(bytes_, at, 2, endian_);
    if (!here) return std::nullopt;
    if (*here != tag) continue;
    const std::size_t word = big_ ? 8 : 4;  // bytes of an offset or a count
    const auto type = number(bytes_, at + 2, 2, endian_);
    const auto count = number(bytes_, at + 4, word, endian_);
    if (!type || !count) return std::nullopt;
    const std::size_t n_bytes = bytes_of_type(*type);
    if (n_bytes == 0 || *count == 0) return std::nullopt;
    // Values that do not fit into the tag are at the offset in it.
    std::uint64_t position = at + 4 + word;
    if (*count > word / n_bytes) {
      const auto pointed = number(bytes_, position, word, endian_);
      if (!pointed) return std::nullopt;
      position = *pointed;
    }
    return number(bytes_, position, n_bytes, endian_);
  }
  return std::nullopt;
}

std::uint64_t TiffDirectory::next_offset() const {
  const std::uint64_t at = offset_ + count_bytes() + n_tags_ * tag_bytes();
  return number(bytes_, at, big_ ? 8 : 4, endian_).value_or(0);
}

}  // namespace secondlook::image
