// Contrast is tested through `prepare`: the tests do not include OpenCV.
#include <algorithm>
#include <cmath>
#include <map>

#include "catch.hpp"
#include "image/sample_images.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/image/preprocessing.hpp"

using namespace secondlook;

namespace {

Image normalised(const Image& image, ContrastNormalisation contrast, double clipped_fraction = 0) {
  Preprocessing preprocessing;
  preprocessing.height = image.height;
  preprocessing.width = image.width;
  preprocessing.channels = image.channels;
  preprocessing.contrast = contrast;
  preprocessing.clipped_fraction = clipped_fraction;
  return prepare(image, preprocessing);
}

template <class Value = std::uint8_t>
Image noise(std::size_t channels, std::uint64_t from, std::uint64_t range) {
  RandomStream random(1);
  return make_image<Value>(40, 30, channels,
                           [&](auto, auto, auto) { return from + random.below(range); });
}

}  // namespace

TEST_CASE("stretch: the darkest value becomes 0 and the brightest the largest, order is kept") {
  for (const std::size_t channels : {1U, 3U}) {
    const Image image = noise(channels, 80, 60);
    const auto before = values_of(image);
    const auto after = values_of(normalised(image, ContrastNormalisation::stretch));
    CHECK(std::ranges::min(after) == 0);
    CHECK(std::ranges::max(after) == 255);
    std::map<int, int> table;  // one function of the value, the same for all colours
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto [entry, is_new] = table.emplace(before[i], after[i]);
      REQUIRE(entry->second == after[i]);
    }
    int last = -1;
    for (const auto& [from, to] : table) {
      CHECK(to > last);
      last = to;
    }
  }
  const auto wide = wide_values_of(
      normalised(noise<std::uint16_t>(1, 9000, 2000), ContrastNormalisation::stretch));
  CHECK(std::ranges::min(wide) == 0);
  CHECK(std::ranges::max(wide) == 65535);
}

TEST_CASE("stretch: the clipped fraction becomes black, and white") {
  // Values 0 to 99 once each.
  const Image image =
      make_image(10, 10, 1, [](auto row, auto column, auto) { return 10 * row + column; });
  for (const double fraction : {0.0, 0.05, 0.2, 0.4}) {
    CAPTURE(fraction);
    const auto after = values_of(normalised(image, ContrastNormalisation::stretch, fraction));
    const auto n_clipped = static_cast<std::ptrdiff_t>(std::lround(100 * fraction));
    CHECK(std::ranges::count(after, 0) == n_clipped + 1);
    CHECK(std::ranges::count(after, 255) == n_clipped + 1);
  }
}

TEST_CASE("stretch: an image of one value, or of one pixel, is returned unchanged") {
  const Image uniform = make_image(8, 8, 3, [](auto, auto, auto) { return 77; });
  CHECK(normalised(uniform, ContrastNormalisation::stretch) == uniform);
  CHECK(normalised(uniform, ContrastNormalisation::stretch, 0.4) == uniform);
  const Image pixel = make_image(1, 1, 1, [](auto, auto, auto) { return 5; });
  CHECK(normalised(pixel, ContrastNormalisation::stretch, 0.01) == pixel);
}

TEST_CASE("clahe: spreads a narrow range, keeps size and bits, and greys of colours stay grey") {
  const auto spread = [](const auto& values) {
    const auto [least, most] = std::ranges::minmax(values);
    return most - least;
  };
  const Image grey = noise(1, 100, 20);
  const Image result = normalised(grey, ContrastNormalisation::clahe);
  CHECK(result.height == grey.height);
  CHECK(result.width == grey.width);
  CHECK(spread(values_of(result)) > spread(values_of(grey)));
  const Image wide = normalised(noise<std::uint16_t>(1, 20000, 5000), ContrastNormalisation::clahe);
  CHECK(wide.bits() == 16);
  RandomStream random(2);
  std::uint64_t value = 0;
  const Image equal = make_image(32, 32, 3, [&](auto, auto, auto channel) {
    if (channel == 0) value = 90 + random.below(30);
    return value;
  });
  const auto colours = values_of(normalised(equal, ContrastNormalisation::clahe));
  for (std::size_t i = 0; i < colours.size(); i += 3) {
    REQUIRE(colours[i] == colours[i + 1]);
    REQUIRE(colours[i] == colours[i + 2]);
  }
}
