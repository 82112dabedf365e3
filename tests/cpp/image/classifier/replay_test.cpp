#include "image/classifier/replay.hpp"

#include <cmath>
#include <map>

#include "catch.hpp"
#include "image/sample_images.hpp"

using namespace secondlook;

namespace {

/// n images that are told apart by their one pixel.
std::vector<Image> numbered_images(std::size_t n) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < n; ++i)
    images.push_back(make_image<std::uint16_t>(1, 1, 1, [&](auto, auto, auto) { return i; }));
  return images;
}

}  // namespace

TEST_CASE("choose_for_replay: as many of each class as there are, then of the others") {
  const auto images = numbered_images(100);
  std::vector<std::int64_t> labels(100, 0);
  labels[10] = labels[20] = labels[30] = 1;
  labels[40] = 2;
  std::vector<std::size_t> training;
  for (std::size_t i = 5; i < 100; ++i) training.push_back(i);
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    const auto replay = image::choose_for_replay(images, labels, training, 12, seed);
    REQUIRE(replay.images.size() == 12);
    CHECK(replay.n_seen == 95);
    std::map<std::int64_t, int> counts;
    std::map<std::uint16_t, int> chosen;
    for (std::size_t i = 0; i < 12; ++i) {
      const auto number = wide_values_of(replay.images[i])[0];
      CHECK(number >= 5);
      CHECK(replay.labels[i] == labels[number]);
      ++counts[replay.labels[i]];
      CHECK(++chosen[number] == 1);
    }
    CHECK(counts == std::map<std::int64_t, int>{{0, 8}, {1, 3}, {2, 1}});
  }
  CHECK(image::choose_for_replay(images, labels, training, 0, 0).images.empty());
  CHECK(image::choose_for_replay(images, labels, training, 1000, 0).images.size() == 95);
}

TEST_CASE("offer_for_replay: each image ever offered is kept with the same probability") {
  const auto images = numbered_images(40);
  const std::vector<std::int64_t> labels(40, 0);
  constexpr std::size_t n_repeats = 4000, capacity = 10;
  std::vector<double> counts(40);
  for (std::uint64_t seed = 0; seed < n_repeats; ++seed) {
    image::Replay replay;
    // In two parts, as two updates would.
    const std::span all(images);
    const std::span all_labels(labels);
    image::offer_for_replay(replay, all.first(15), all_labels.first(15), capacity,
                            RandomStream(seed, 1));
    image::offer_for_replay(replay, all.subspan(15), all_labels.subspan(15), capacity,
                            RandomStream(seed, 2));
    REQUIRE(replay.images.size() == capacity);
    REQUIRE(replay.n_seen == 40);
    for (const Image& kept : replay.images) ++counts[wide_values_of(kept)[0]];
  }
  // 4000 draws of probability 1/4: a standard deviation of 27; five of them.
  for (const double count : counts) CHECK(std::abs(count - 1000) < 137);
}

TEST_CASE("offer_for_replay: without capacity nothing is kept") {
  image::Replay replay;
  const auto images = numbered_images(3);
  const std::vector<std::int64_t> labels(3, 1);
  image::offer_for_replay(replay, images, labels, 0, RandomStream(0));
  CHECK(replay.images.empty());
  CHECK(replay.n_seen == 3);
}
