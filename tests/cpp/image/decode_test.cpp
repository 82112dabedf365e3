#include "secondlook/image/decode.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using namespace secondlook;

namespace {

constexpr int rows = 4;
constexpr int columns = 6;

/// An uncompressed bitmap of one colour, so that the test needs no encoder.
std::vector<std::byte> bitmap(unsigned char red, unsigned char green, unsigned char blue) {
  constexpr int stride = (columns * 3 + 3) / 4 * 4;
  constexpr int header = 54;
  std::vector<unsigned char> file(header + stride * rows);
  const auto put = [&](std::size_t at, int value) {
    for (int i = 0; i < 4; ++i)
      file[at + static_cast<std::size_t>(i)] = static_cast<unsigned char>(value >> (8 * i));
  };
  file[0] = 'B';
  file[1] = 'M';
  put(2, static_cast<int>(file.size()));
  put(10, header);
  put(14, 40);
  put(18, columns);
  put(22, rows);
  put(26, 1 | 24 << 16);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t at = header + row * stride + column * 3;
      file[at] = blue;
      file[at + 1] = green;
      file[at + 2] = red;
    }
  }
  const auto bytes = std::as_bytes(std::span(file));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("decode_image: channels are red, green, blue, normalised one by one") {
  DecodeOptions options;
  options.height = 3;
  options.width = 5;
  const ImageTensor image = decode_image(bitmap(255, 51, 0), options);
  REQUIRE(image.values.size() == 3 * 3 * 5);
  const std::array<float, 3> colour{1.0F, 0.2F, 0.0F};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const float expected =
        (colour[channel] - options.mean[channel]) / options.standard_deviation[channel];
    for (std::size_t pixel = 0; pixel < 15; ++pixel)
      CHECK(image.values[channel * 15 + pixel] == Approx(expected).margin(1e-5));
  }
}

TEST_CASE("decode_image: a broken image is an error that names the file") {
  const auto file = std::filesystem::temp_directory_path() / "secondlook_broken_image.png";
  std::ofstream(file, std::ios::binary) << "no image at all";
  CHECK_THROWS_AS(decode_image(file), InvalidArgument);
  CHECK_THROWS_WITH(decode_image(file), Catch::Matchers::Contains("secondlook_broken_image.png"));
  std::filesystem::remove(file);
  CHECK_THROWS_AS(decode_image(file), FileError);
  CHECK_THROWS_WITH(decode_image(file), Catch::Matchers::Contains("secondlook_broken_image.png"));
}

TEST_CASE("decode_image: options out of range are refused") {
  DecodeOptions options;
  options.width = 0;
  CHECK_THROWS_AS(decode_image(bitmap(0, 0, 0), options), InvalidArgument);
  options.width = 8;
  options.standard_deviation[1] = 0.0F;
  CHECK_THROWS_AS(decode_image(bitmap(0, 0, 0), options), InvalidArgument);
}
