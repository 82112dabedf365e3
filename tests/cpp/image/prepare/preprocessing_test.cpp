#include "secondlook/image/preprocessing.hpp"

#include <cstdlib>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "image/sample_images.hpp"
#include "secondlook/core/error.hpp"
#include "store/fields_json.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

namespace {

Preprocessing of_size(std::size_t height, std::size_t width, std::size_t channels) {
  Preprocessing preprocessing;
  preprocessing.height = height;
  preprocessing.width = width;
  preprocessing.channels = channels;
  return preprocessing;
}

}  // namespace

TEST_CASE("preprocess: channels one after another, scaled by mean and deviation") {
  Preprocessing p = of_size(2, 3, 3);
  p.mean = {0.5F, 0.25F, 0.0F};
  p.standard_deviation = {0.5F, 0.25F, 2.0F};
  const Image image =
      make_image(2, 3, 3, [](auto row, auto column, auto) { return row * 100 + column * 50; });
  const auto tensor = preprocess(image, p);
  REQUIRE(tensor.size() == 18);
  for (std::size_t channel = 0; channel < 3; ++channel)
    for (std::size_t i = 0; i < 6; ++i) {
      const float value = static_cast<float>(i / 3 * 100 + i % 3 * 50) / 255.0F;
      CHECK(tensor[channel * 6 + i] ==
            Approx((value - p.mean[channel]) / p.standard_deviation[channel]).margin(1e-6));
    }
}

TEST_CASE("preprocess: a grey image fills all channels, a colour one becomes grey") {
  const auto grey = preprocess(make_image(1, 1, 1, [](auto...) { return 51; }), of_size(1, 1, 3));
  CHECK(grey[0] == Approx(2 * 0.2F - 1).margin(1e-6));
  CHECK(grey[1] == grey[0]);
  CHECK(grey[2] == grey[0]);
  // ITU-R BT.601: 0.299 of red.
  const auto red = make_image(1, 1, 3, [](auto, auto, auto c) { return c == 0 ? 200 : 0; });
  const auto tensor = preprocess(red, of_size(1, 1, 1));
  REQUIRE(tensor.size() == 1);
  CHECK(tensor[0] == Approx(2 * 60.0F / 255 - 1).margin(0.005));
}

TEST_CASE("prepare: shrinking averages, growing keeps a constant image") {
  const Image steps = make_image(4, 4, 1, [](auto row, auto column, auto) {
    return row / 2 * 100 + column % 2 * 20;  // pairs of columns that differ by 20
  });
  CHECK(values_of(prepare(steps, of_size(2, 2, 1))) == std::vector<std::uint8_t>{10, 10, 110, 110});
  const Image flat = make_image(1, 1, 1, [](auto...) { return 77; });
  for (const auto value : values_of(prepare(flat, of_size(5, 9, 1)))) CHECK(value == 77);
}

TEST_CASE("prepare: 16-bit values keep their bits, within the range") {
  const Image thermal = make_image<std::uint16_t>(
      1, 4, 1, [](auto, auto column, auto) { return 10000 + 1000 * column; });
  Preprocessing p = of_size(1, 4, 1);
  CHECK(prepare(thermal, p) == thermal);
  p.range = {10500.0, 12500.0};
  CHECK(wide_values_of(prepare(thermal, p)) == std::vector<std::uint16_t>{0, 16384, 49151, 65535});
  CHECK(preprocess(thermal, p)[3] == Approx(1.0F));
}

TEST_CASE("prepare: a stretch fills the range, whatever the scanner's brightness") {
  Preprocessing p = of_size(16, 16, 1);
  p.contrast = ContrastNormalisation::stretch;
  p.clipped_fraction = 0;
  const auto ramp = [](std::size_t low, std::size_t step) {
    return make_image(16, 16, 1, [=](auto row, auto, auto) { return low + step * row; });
  };
  const auto dark = values_of(prepare(ramp(20, 2), p));
  const auto bright = values_of(prepare(ramp(60, 10), p));
  CHECK(dark.front() == 0);
  CHECK(dark.back() == 255);
  for (std::size_t i = 0; i < dark.size(); ++i) CHECK(std::abs(dark[i] - bright[i]) <= 1);
  const Image flat = make_image(16, 16, 1, [](auto...) { return 9; });
  CHECK(prepare(flat, p) == flat);  // nothing to stretch
  p.contrast = ContrastNormalisation::clahe;
  CHECK(prepare(flat, p).height == 16);
}

TEST_CASE("prepare: the outermost values do not decide the stretch") {
  Preprocessing p = of_size(20, 20, 1);
  p.contrast = ContrastNormalisation::stretch;
  p.clipped_fraction = 0.01;  // of 400 pixels: 4
  const Image image = make_image(20, 20, 1, [](auto row, auto column, auto) {
    if (row == 0 && column < 3) return std::size_t{255};  // a burnt-in marker
    return 100 + row;
  });
  CHECK(values_of(prepare(image, p)).back() == 255);
}

TEST_CASE("resize: preparing what was resized is preparing the image") {
  const Image image = make_image<std::uint16_t>(
      50, 70, 3, [](auto row, auto column, auto c) { return row * 900 + column * 30 + c * 99; });
  for (const auto contrast : {ContrastNormalisation::none, ContrastNormalisation::stretch,
                              ContrastNormalisation::clahe}) {
    Preprocessing p = of_size(24, 16, 1);
    p.contrast = contrast;
    CHECK(prepare(resize(image, 24, 16), p) == prepare(image, p));
  }
}

TEST_CASE("preprocessing: what is out of range is refused") {
  const Image image = make_image(2, 2, 1, [](auto...) { return 0; });
  CHECK_THROWS_AS(prepare(image, of_size(0, 2, 1)), InvalidArgument);
  CHECK_THROWS_AS(prepare(image, of_size(2, 2, 2)), InvalidArgument);
  Preprocessing p = of_size(2, 2, 1);
  p.standard_deviation[0] = 0;
  CHECK_THROWS_AS(prepare(image, p), InvalidArgument);
  p = of_size(2, 2, 1);
  p.range = {7, 7};
  CHECK_THROWS_AS(prepare(image, p), InvalidArgument);
  CHECK_THROWS_AS(prepare(Image{3, 3, 1, std::vector<std::uint8_t>(8)}, of_size(2, 2, 1)),
                  InvalidArgument);
  std::vector<float> tensor(4);
  CHECK_THROWS_AS(to_tensor(image, of_size(3, 3, 1), tensor), InvalidArgument);
}

TEST_CASE("preprocessing: JSON gives the same options again, and refuses others") {
  using secondlook::StrictJson;
  const auto from_json = [](const StrictJson& object) {
    return secondlook::fields_from_json<Preprocessing>("Preprocessing", object);
  };
  Preprocessing p = of_size(7, 9, 1);
  p.contrast = ContrastNormalisation::clahe;
  p.range = {12.5, 99.0};
  CHECK(from_json(secondlook::fields_to_json(p)) == p);
  CHECK(from_json(StrictJson::object()) == Preprocessing{});
  auto earlier = secondlook::fields_to_json(p);
  earlier["clipped_share"] = earlier["clipped_fraction"];
  earlier.erase("clipped_fraction");
  CHECK(from_json(earlier) == p);
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(from_json({{"contrast", "strong"}}),
                    Contains("expected one of 'none', 'stretch', 'clahe', got \"strong\""));
  CHECK_THROWS_WITH(from_json({{"height", -1}}), Contains("height"));
  CHECK_THROWS_WITH(from_json({{"size", 1}}), Contains("unknown parameter 'size'"));
}

TEST_CASE("prepare: floats become black and white as the range says, and 16 bits") {
  const Image celsius{1, 4, 1, std::vector<float>{-30, -20, 20, 70}};
  Preprocessing p;
  p.height = 1;
  p.width = 4;
  p.range = {-20, 60};
  CHECK(wide_values_of(prepare(celsius, p)) == std::vector<std::uint16_t>{0, 0, 32768, 65535});
  CHECK(prepare(resize(celsius, 1, 4), p) == prepare(celsius, p));
}

TEST_CASE("prepare: floats of which nothing is said lie in [0, 1]") {
  Preprocessing p;
  p.height = 1;
  p.width = 3;
  const auto image = [](std::vector<float> values) { return Image{1, 3, 1, std::move(values)}; };
  CHECK(wide_values_of(prepare(image({0, 0.5F, 1}), p)) ==
        std::vector<std::uint16_t>{0, 32768, 65535});
  CHECK_THROWS_WITH(prepare(image({0, 0.5F, 1.5F}), p),
                    Contains("expected floats in [0, 1], got 0 to 1.5; say which values become "
                             "black and white by value_range, such as (0, 2)"));
  p.range = {0, 2};
  CHECK_THROWS_WITH(prepare(image({0, std::numeric_limits<float>::quiet_NaN(), 1}), p),
                    Contains("expected finite values, got NaN or infinity in 1 of 3 values"));
  std::vector<float> tensor(9);
  CHECK_THROWS_WITH(to_tensor(image({0, 1, 2}), p, tensor), Contains("got floats"));
}
