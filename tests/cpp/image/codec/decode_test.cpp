#include "secondlook/image/decode.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "image/sample_images.hpp"
#include "secondlook/core/error.hpp"
#include "temporary_folder.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

namespace {

// Encoded by hand, so that the tests need no encoder: what each format's writer makes is tested
// from Python, beside Pillow.

void put(std::vector<unsigned char>& file, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<unsigned char>(value >> (8 * i));
}

std::span<const std::byte> as_bytes(const std::vector<unsigned char>& file) {
  return std::as_bytes(std::span(file));
}

/// An uncompressed bitmap of one colour.
std::vector<unsigned char> bitmap(std::uint32_t rows, std::uint32_t columns, unsigned char red,
                                  unsigned char green, unsigned char blue) {
  const std::size_t stride = (columns * 3 + 3) / 4 * 4;
  constexpr std::size_t header = 54;
  std::vector<unsigned char> file(header + stride * rows);
  file[0] = 'B';
  file[1] = 'M';
  put(file, 2, static_cast<std::uint32_t>(file.size()));
  put(file, 10, header);
  put(file, 14, 40);
  put(file, 18, columns);
  put(file, 22, rows);
  put(file, 26, 1 | 24 << 16);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t at = header + row * stride + column * 3;
      file[at] = blue;
      file[at + 1] = green;
      file[at + 2] = red;
    }
  }
  return file;
}

/// What a TIFF's tags state.
struct Tags {
  std::uint16_t orientation = 1;
  std::uint16_t photometric = 1;  // 0: zero is white
  std::uint16_t kind = 1;         // 2: signed
};

/// An uncompressed grey TIFF of 16 bits, values 0, 1000, 2000, …
std::vector<unsigned char> tiff(std::uint16_t rows, std::uint16_t columns,
                                const Tags& stated = {}) {
  const std::vector<std::array<std::uint32_t, 3>> tags = {
      {256, 3, columns},
      {257, 3, rows},
      {258, 3, 16},
      {259, 3, 1},
      {262, 3, stated.photometric},
      {273, 4, 8},
      {274, 3, stated.orientation},
      {277, 3, 1},
      {278, 3, rows},
      {279, 4, static_cast<std::uint32_t>(rows) * columns * 2},
      {339, 3, stated.kind}};
  const std::size_t n_bytes = std::size_t{2} * rows * columns;
  std::vector<unsigned char> file(8 + n_bytes + 2 + tags.size() * 12 + 4);
  file[0] = file[1] = 'I';
  file[2] = 42;
  put(file, 4, static_cast<std::uint32_t>(8 + n_bytes));
  for (std::size_t i = 0; i < n_bytes / 2; ++i) {
    file[8 + 2 * i] = static_cast<unsigned char>(i * 1000);
    file[9 + 2 * i] = static_cast<unsigned char>(i * 1000 >> 8);
  }
  std::size_t at = 8 + n_bytes;
  file[at] = static_cast<unsigned char>(tags.size());
  at += 2;
  for (const auto& [tag, type, value] : tags) {
    put(file, at, tag | type << 16);
    put(file, at + 4, 1);
    put(file, at + 8, value);
    at += 12;
  }
  return file;
}

}  // namespace

TEST_CASE("decode_image: rows, columns and colours as they are in the file") {
  const Image image = decode_image(as_bytes(bitmap(2, 5, 250, 51, 7)));
  CHECK(image == make_image(2, 5, 3, [](auto, auto, auto channel) {
          return std::vector<int>{250, 51, 7}[channel];
        }));
}

TEST_CASE("decode_image: one pixel is an image") {
  CHECK(decode_image(as_bytes(bitmap(1, 1, 1, 2, 3))).height == 1);
}

TEST_CASE("decode_image: 16 bits and grey stay 16 bits and grey, and the orientation is applied") {
  const Image upright = decode_image(as_bytes(tiff(2, 3)));
  CHECK(upright.bits() == 16);
  CHECK(upright.channels == 1);
  CHECK(wide_values_of(upright) == std::vector<std::uint16_t>{0, 1000, 2000, 3000, 4000, 5000});
  // Its top is the right-hand side.
  const Image turned = decode_image(as_bytes(tiff(2, 3, {.orientation = 6})));
  CHECK(turned.height == 3);
  CHECK(turned.width == 2);
  CHECK(wide_values_of(turned) == std::vector<std::uint16_t>{3000, 0, 4000, 1000, 5000, 2000});
}

TEST_CASE("decode_image: zero is black where a TIFF stores it as white") {
  const Image image = decode_image(as_bytes(tiff(1, 3, {.photometric = 0})));
  CHECK(wide_values_of(image) == std::vector<std::uint16_t>{65535, 64535, 63535});
}

TEST_CASE("decode_image: signed values are floats in their own unit") {
  auto file = tiff(1, 3, {.kind = 2});
  file[8] = 0x18;  // −1000
  file[9] = 0xFC;
  const Image image = decode_image(as_bytes(file));
  CHECK(image.bits() == 32);
  CHECK(std::get<std::vector<float>>(image.pixels) == std::vector<float>{-1000, 1000, 2000});
}

TEST_CASE("decode_image: of several pages one is chosen") {
  auto file = tiff(2, 3);
  const std::size_t n_bytes = file.size(), directory = n_bytes - 4 - 11 * 12 - 2;
  // A copy of the directory, that of a page of one row.
  file.insert(file.end(), file.begin() + static_cast<std::ptrdiff_t>(directory), file.end());
  put(file, n_bytes - 4, static_cast<std::uint32_t>(n_bytes));
  put(file, n_bytes + 2 + 1 * 12 + 8, 1);
  CHECK_THROWS_WITH(decode_image(as_bytes(file), "scan.tif"),
                    Contains("scan.tif: expected an image of one page, got 2 pages"));
  CHECK(decode_image(as_bytes(file), "a", kMaxPixels, 0).height == 2);
  CHECK(decode_image(as_bytes(file), "a", kMaxPixels, 1).height == 1);
  CHECK_THROWS_WITH(decode_image(as_bytes(file), "a", kMaxPixels, 2),
                    Contains("a: expected a page from 0 to 1, got 2"));
  CHECK_THROWS_WITH(decode_image(as_bytes(bitmap(1, 1, 0, 0, 0)), "a", kMaxPixels, 1),
                    Contains("a: expected a page from 0 to 0, got 1"));
}

TEST_CASE("decode_image: too many pixels are refused by the header alone") {
  auto file = bitmap(1, 1, 0, 0, 0);
  put(file, 18, 20000);
  put(file, 22, 20000);
  CHECK_THROWS_WITH(
      decode_image(as_bytes(file), "scan.bmp"),
      Contains("scan.bmp: expected at most 100000000 pixels") && Contains("got 20000 × 20000"));
  put(file, 22, static_cast<std::uint32_t>(-20000));  // from top to bottom
  CHECK_THROWS_WITH(decode_image(as_bytes(file)), Contains("got 20000 × 20000"));
  CHECK_THROWS_WITH(decode_image(as_bytes(bitmap(10, 11, 0, 0, 0)), "a", 109),
                    Contains("at most 109 pixels"));
  CHECK(decode_image(as_bytes(bitmap(10, 11, 0, 0, 0)), "a", 110).width == 11);
}

TEST_CASE("decode_image: whatever a file is cut down to is an error, never a part of the image") {
  for (const auto& file : {bitmap(4, 4, 9, 9, 9), tiff(4, 4)})
    for (std::size_t length = 0; length < file.size(); ++length) {
      const std::vector<unsigned char> part(file.begin(),
                                            file.begin() + static_cast<std::ptrdiff_t>(length));
      // The end of the tags is a pointer to a next page, which nobody needs.
      if (file[0] == 'I' && length + 4 >= file.size()) continue;
      CAPTURE(file[0], length);
      CHECK_THROWS_AS(decode_image(as_bytes(part)), InvalidArgument);
    }
}

TEST_CASE("read_image: errors name the file") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "chest.png";
  CHECK_THROWS_AS(read_image(file), FileError);
  CHECK_THROWS_WITH(read_image(file), Contains("chest.png"));
  std::ofstream(file, std::ios::binary) << "no image at all";
  CHECK_THROWS_AS(read_image(file), InvalidArgument);
  CHECK_THROWS_WITH(read_image(file), Contains("chest.png: expected a JPEG, PNG, TIFF or BMP"));
  std::ofstream(file, std::ios::binary) << "";
  CHECK_THROWS_WITH(read_image(file), Contains("chest.png: expected an image, got an empty file"));
  CHECK_THROWS_WITH(read_image(folder.path()), Contains("got the folder"));
}
