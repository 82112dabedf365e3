#include "secondlook/image/near_duplicates.hpp"

#include <bit>

#include "catch.hpp"
#include "image/sample_images.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/image/preprocessing.hpp"

using namespace secondlook;

namespace {

Image noise(std::uint64_t seed) {
  RandomStream random(seed);
  return make_image(12, 13, 1, [&](auto...) { return random.below(200); });
}

}  // namespace

TEST_CASE("difference_hash: size, brightness and colour hardly matter, the picture does") {
  const Image picture = resize(noise(1), 96, 104);
  const auto hash = difference_hash(picture);
  const auto distance = [&](const Image& other) {
    return std::popcount(hash ^ difference_hash(other));
  };
  CHECK(distance(picture) == 0);
  CHECK(distance(resize(picture, 48, 52)) <= 2);
  const auto values = values_of(picture);
  CHECK(distance(make_image(96, 104, 1, [&](auto row, auto column, auto) {
          return values[row * 104 + column] / 2 + 30;
        })) <= 3);
  CHECK(distance(make_image<std::uint16_t>(96, 104, 3, [&](auto row, auto column, auto) {
          return values[row * 104 + column] * 257;
        })) == 0);
  CHECK(distance(resize(noise(2), 96, 104)) > 16);
}

TEST_CASE("near_duplicates: all pairs that comparing every two finds") {
  RandomStream random(3);
  std::vector<std::uint64_t> hashes(300);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    hashes[i] = random();
    if (i % 3 != 0) hashes[i] = hashes[i - 1];
    for (std::size_t n = i % 3; n > 0; --n) hashes[i] ^= std::uint64_t{1} << random.below(64);
  }
  for (const int distance : {0, 1, 2, 4, 7}) {
    std::vector<NearDuplicates> expected;
    for (std::size_t a = 0; a < hashes.size(); ++a)
      for (std::size_t b = a + 1; b < hashes.size(); ++b)
        if (const int bits = std::popcount(hashes[a] ^ hashes[b]); bits <= distance)
          expected.push_back({a, b, bits});
    CHECK(near_duplicates(hashes, distance) == expected);
  }
  CHECK(near_duplicates({}, 2).empty());
  CHECK_THROWS_AS(near_duplicates(hashes, 8), InvalidArgument);
}

TEST_CASE("find_near_duplicates: copies, not what is merely alike") {
  // A common outline, as X-rays have, and details of each picture's own.
  const auto picture = [](std::uint64_t seed, std::size_t offset) {
    RandomStream random(seed);
    const Image coarse = make_image(24, 24, 1, [&](auto row, auto column, auto) {
      return 60 + 2 * row + 2 * (column % 12) + offset + random.below(40);
    });
    return resize(coarse, 96, 96);
  };
  std::vector<Image> images;
  for (std::uint64_t seed = 0; seed < 20; ++seed) images.push_back(picture(seed, 0));
  images.push_back(resize(resize(images[4], 64, 64), 96, 96));
  images.push_back(picture(9, 25));
  const auto pairs = find_near_duplicates(images);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].first == 4);
  CHECK(pairs[0].second == 20);
  CHECK(pairs[1].first == 9);
  CHECK(pairs[1].second == 21);
}
