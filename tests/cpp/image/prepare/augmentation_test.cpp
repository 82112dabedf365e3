#include "secondlook/image/augmentation.hpp"

#include <cmath>
#include <numeric>
#include <set>

#include "catch.hpp"
#include "image/sample_images.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "store/fields_json.hpp"

using namespace secondlook;

namespace {

Image corner() {
  return make_image(21, 31, 1, [](auto row, auto column, auto) {
    return row < 6 && column < 9 ? 200 : 20;  // bright at the top left
  });
}

/// Of many tones.
Image scene() {
  return make_image(64, 80, 1, [](auto row, auto column, auto) {
    return 40 + row * column % 17 * 4 + (row > 10 ? 60 : 0);
  });
}

template <class Set>
Augmentation only(const Set& set) {
  Augmentation augmentation;
  set(augmentation);
  return augmentation;
}

double mean(const Image& image) {
  const auto values = values_of(image);
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("augment: nothing asked for is nothing done") {
  CHECK(augment(corner(), {}, 1, 2, 3) == corner());
}

TEST_CASE("augment: flips are exact mirror images") {
  const auto flip = only([](auto& a) { a.horizontal_flip = 1; });
  const Image flipped = augment(corner(), flip, 1, 0, 0);
  CHECK(flipped == make_image(21, 31, 1, [](auto row, auto column, auto) {
          return row < 6 && column >= 31 - 9 ? 200 : 20;
        }));
  const auto head = only([](auto& a) { a.vertical_flip = 1; });
  CHECK(augment(augment(corner(), head, 1, 0, 0), head, 5, 5, 5) == corner());
}

TEST_CASE("augment: probabilities are kept") {
  const auto flip = only([](auto& a) { a.horizontal_flip = 0.3; });
  int n_flipped = 0;
  for (std::uint64_t i = 0; i < 1000; ++i)
    n_flipped += augment(corner(), flip, 7, 0, i) != corner();
  CHECK(n_flipped > 240);  // four standard deviations of 300 ± 14.5
  CHECK(n_flipped < 360);
}

TEST_CASE("augment: every change is one, within its range") {
  struct Case {
    const char* name;
    Augmentation augmentation;
  };
  const std::vector<Case> cases = {
      {"rotation", only([](auto& a) { a.rotation = 30; })},
      {"shear", only([](auto& a) { a.shear = 20; })},
      {"zoom", only([](auto& a) { a.zoom = 0.3; })},
      {"aspect", only([](auto& a) { a.aspect = 0.3; })},
      {"shift", only([](auto& a) { a.shift = 0.2; })},
      {"brightness", only([](auto& a) { a.brightness = 0.2; })},
      {"contrast", only([](auto& a) { a.contrast = 0.4; })},
      {"gamma", only([](auto& a) { a.gamma = 0.5; })},
      {"blur", only([](auto& a) { a.blur = 2; })},
      {"noise", only([](auto& a) { a.noise = 0.05; })},
      {"clahe", only([](auto& a) { a.clahe = 1; })},
      {"erasing", only([](auto& a) { a.erasing = 1; })},
  };
  for (const auto& [name, augmentation] : cases) {
    CAPTURE(name);
    std::set<std::vector<std::uint8_t>> different;
    for (std::uint64_t i = 0; i < 8; ++i) {
      const Image image = augment(scene(), augmentation, 3, 1, i);
      REQUIRE(image.height == 64);
      REQUIRE(image.width == 80);
      different.insert(values_of(image));
    }
    CHECK(different.size() >= 2);
    // The range is the JSON member of that name.
    CHECK(secondlook::fields_from_json<Augmentation>(
              "Augmentation", secondlook::fields_to_json(augmentation)) == augmentation);
    // 16 bits go the same way.
    const Image wide = make_image<std::uint16_t>(21, 31, 3, [](auto row, auto column, auto c) {
      return row * 1500 + column * 700 + c * 4000;
    });
    CHECK(augment(wide, augmentation, 3, 1, 1).bits() == 16);
  }
}

TEST_CASE("augment: tones and noise have the size asked for") {
  const Image grey = make_image(64, 64, 1, [](auto...) { return 128; });
  const auto brighter = only([](auto& a) { a.brightness = 0.25; });
  double most = 0;
  for (std::uint64_t i = 0; i < 200; ++i)
    most = std::max(most, std::abs(mean(augment(grey, brighter, 1, 0, i)) - 128));
  CHECK(most <= 0.25 * 255 + 1);
  CHECK(most >= 0.20 * 255);

  const auto noisy = only([](auto& a) { a.noise = 0.1; });
  double largest = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const Image image = augment(grey, noisy, 1, 0, i);
    double squares = 0;
    for (const auto value : values_of(image)) squares += std::pow(value - 128.0, 2);
    largest = std::max(largest, std::sqrt(squares / 4096));
    CHECK(std::abs(mean(image) - 128) < 2);
  }
  CHECK(largest > 0.08 * 255);
  CHECK(largest < 0.105 * 255);
}

TEST_CASE("augment: the same images at any number of threads") {
  Augmentation everything;
  everything.horizontal_flip = everything.clahe = everything.erasing = 0.5;
  everything.rotation = everything.shear = 10;
  everything.zoom = everything.aspect = everything.shift = everything.brightness =
      everything.contrast = 0.1;
  everything.gamma = 0.2;
  everything.blur = 1;
  everything.noise = 0.02;
  const auto all = [&](std::size_t n_threads) {
    std::vector<Image> images(64);
    parallel_for(images.size(), 1, n_threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) images[i] = augment(corner(), everything, 9, 4, i);
    });
    return images;
  };
  const auto once = all(1);
  CHECK(all(4) == once);
  CHECK(augment(corner(), everything, 9, 5, 0) != once[0]);   // another epoch
  CHECK(augment(corner(), everything, 10, 4, 0) != once[0]);  // another seed
}

TEST_CASE("augment: one pixel can be augmented") {
  Augmentation a;
  a.rotation = 20;
  a.blur = 2;
  a.clahe = a.erasing = 1;
  a.noise = 0.1;
  CHECK(augment(make_image(1, 1, 3, [](auto...) { return 5; }), a, 0, 0, 0).height == 1);
}

TEST_CASE("augmentation: what is out of range is refused by name") {
  using Catch::Matchers::Contains;
  const auto refused = [](const Augmentation& a) { check("Augmentation", a); };
  CHECK_THROWS_WITH(refused(only([](auto& a) { a.rotation = 181; })),
                    Contains("Augmentation: rotation must lie in [0, 180], got 181"));
  CHECK_THROWS_WITH(refused(only([](auto& a) { a.horizontal_flip = 1.5; })),
                    Contains("horizontal_flip"));
  CHECK_THROWS_WITH(refused(only([](auto& a) { a.noise = std::nan(""); })), Contains("noise"));
  CHECK_THROWS_WITH(
      secondlook::fields_from_json<Augmentation>("Augmentation", {{"rotation", "much"}}),
      Contains("rotation: expected a number, got \"much\""));
}
