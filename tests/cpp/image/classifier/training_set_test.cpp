#include "image/classifier/training_set.hpp"

#include <cmath>
#include <map>
#include <set>

#include "catch.hpp"
#include "image/sample_classifier.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

namespace {

image::TrainingSet make_set(const ImageClassifierParameters& parameters, const Data& data,
                            const ImageFitOptions& options = {}) {
  return image::make_training_set(parameters, data.images, data.labels, options, 2);
}

}  // namespace

TEST_CASE("split_by_group: no group on both sides, every class on both") {
  RandomStream random(1);
  std::vector<std::int64_t> labels, groups;
  for (std::int64_t group = 0; group < 120; ++group) {
    const auto label = static_cast<std::int64_t>(group % 3);
    for (std::uint64_t i = 0; i <= random.below(4); ++i) {
      labels.push_back(label);
      groups.push_back(1000 - group);
    }
  }
  const auto split = image::split_by_group(labels, groups, 0.2, 5);
  CHECK(split.training.size() + split.validation.size() == labels.size());
  std::set<std::int64_t> left, right;
  std::map<std::int64_t, double> held_out, all;
  for (const auto i : split.training) left.insert(groups[i]);
  for (const auto i : split.validation) {
    right.insert(groups[i]);
    CHECK_FALSE(left.contains(groups[i]));
    ++held_out[labels[i]];
  }
  for (const auto label : labels) ++all[label];
  for (std::int64_t k = 0; k < 3; ++k) CHECK(std::abs(held_out[k] / all[k] - 0.2) < 0.04);
  CHECK(image::split_by_group(labels, groups, 0, 5).validation.empty());
  // A class with a single group stays in training.
  const auto few = image::split_by_group(std::vector<std::int64_t>{0, 0, 0, 1, 1},
                                         std::vector<std::int64_t>{1, 2, 3, 4, 4}, 0.5, 0);
  for (const auto i : few.validation) CHECK(i < 3);
}

TEST_CASE("split_by_group: every image on exactly one side, for random labels and groups") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    RandomStream random(seed);
    const std::size_t n = 1 + random.below(60);
    std::vector<std::int64_t> labels(n), groups(n);
    for (auto& label : labels) label = static_cast<std::int64_t>(random.below(3));
    for (auto& group : groups) group = static_cast<std::int64_t>(random.below(20));
    const double fraction = random.uniform() / 2;
    const auto split = image::split_by_group(labels, groups, fraction, seed);
    std::vector<int> n_sides(n);
    std::set<std::int64_t> trained_groups, trained_labels;
    for (const auto i : split.training) {
      ++n_sides[i];
      trained_groups.insert(groups[i]);
      trained_labels.insert(labels[i]);
    }
    std::map<std::int64_t, double> n_held_out, n_all;
    for (const auto i : split.validation) {
      ++n_sides[i];
      ++n_held_out[labels[i]];
      REQUIRE_FALSE(trained_groups.contains(groups[i]));
    }
    REQUIRE(n_sides == std::vector<int>(n, 1));
    for (const auto label : labels) ++n_all[label];
    // A group is taken for one class that still wants it; its other classes may get more than they
    // want, but none loses all its images.
    for (const auto& [label, count] : n_all) REQUIRE(trained_labels.contains(label));
    const auto again = image::split_by_group(labels, groups, fraction, seed);
    REQUIRE(again.training == split.training);
  }
}

TEST_CASE("split_by_group: one image, and one class of ties, are trained on") {
  const std::vector<std::int64_t> one = {0};
  CHECK(image::split_by_group(one, {}, 0.5, 0).training == std::vector<std::size_t>{0});
  // Without groups a class of two can spare one image at a fraction of a half.
  const std::vector<std::int64_t> two = {0, 0};
  CHECK(image::split_by_group(two, {}, 0.5, 0).validation.size() == 1);
}

TEST_CASE("class_weights: balanced weights give every class the same total") {
  ImageClassifierParameters parameters;
  const std::vector<std::int64_t> labels = {0, 0, 0, 0, 0, 0, 1, 1, 2};
  CHECK(image::class_weights(parameters, labels, 3) == std::vector<double>{1, 1, 1});
  parameters.class_weighting = ClassWeighting::balanced;
  const auto weights = image::class_weights(parameters, labels, 3);
  CHECK(6 * weights[0] == Approx(3));
  CHECK(2 * weights[1] == Approx(3));
  CHECK(1 * weights[2] == Approx(3));
  parameters.class_weights = {1, 2, 3};  // takes precedence
  CHECK(image::class_weights(parameters, labels, 3) == parameters.class_weights);
  CHECK_THROWS_WITH(image::class_weights(parameters, labels, 2),
                    Contains("ImageClassifier::fit: expected 2 class_weights, got 3"));
}

TEST_CASE("channel_statistics: those of the pixels, by definition") {
  std::vector<Image> images;
  images.push_back(make_image(2, 2, 3, [](auto row, auto column, auto channel) {
    return 50 * (2 * row + column) + 10 * channel;
  }));
  images.push_back(make_image<std::uint16_t>(
      2, 2, 1, [](auto row, auto column, auto) { return 20000 * (row + column); }));
  images.push_back(make_image(1, 1, 1, [](auto, auto, auto) { return 255; }));  // not chosen
  const std::vector<std::size_t> indices = {0, 1};
  const auto statistics = image::channel_statistics(images, indices);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    std::vector<double> values;
    for (const double v : {0, 50, 100, 150}) values.push_back((v + 10.0 * channel) / 255);
    for (const double v : {0, 20000, 20000, 40000}) values.push_back(v / 65535);
    double mean = 0, square = 0;
    for (const double v : values) mean += v / 8;
    for (const double v : values) square += (v - mean) * (v - mean) / 8;
    CHECK(statistics.mean[channel] == Approx(mean));
    CHECK(statistics.standard_deviation[channel] == Approx(std::sqrt(square)));
  }
}

TEST_CASE("channel_statistics: images of a single value have a standard deviation above 0") {
  const std::vector<Image> images(3, make_image(4, 4, 1, [](auto, auto, auto) { return 100; }));
  const std::vector<std::size_t> indices = {0, 1, 2};
  const auto statistics = image::channel_statistics(images, indices);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    CHECK(statistics.mean[channel] == Approx(100.0 / 255));
    CHECK(statistics.standard_deviation[channel] == Approx(1e-3));
  }
}

TEST_CASE("make_training_set: grey only if the network takes it and all images are grey") {
  Data data = squares(20);
  ImageClassifierParameters parameters = small();
  CHECK(make_set(parameters, data).preprocessing.channels == 1);
  parameters.channels = 3;
  CHECK(make_set(parameters, data).preprocessing.channels == 3);
  parameters.channels = 0;
  data.images[4] =
      make_image(16, 16, 3, [](auto row, auto, auto channel) { return row * channel; });
  CHECK(make_set(parameters, data).preprocessing.channels == 3);
  parameters.architecture = Architecture::mobilenet_v2;
  parameters.height = parameters.width = 32;
  CHECK(make_set(parameters, squares(20)).preprocessing.channels == 3);
}

TEST_CASE("make_training_set: labels, groups and reports follow the images that could be read") {
  Data data = squares(21);
  data.images[3] = Image{};
  data.images[10] = data.images[5];  // a duplicate, after a broken image
  data.labels[10] = data.labels[5];
  data.images[18] = std::filesystem::path("no/such.png");
  const auto set = make_set(small(), data, {.skip_broken = true});
  REQUIRE(set.images.size() == 19);
  REQUIRE(set.report.skipped.size() == 2);
  CHECK(set.report.skipped[0].index == 3);
  CHECK(set.report.skipped[1].index == 18);
  CHECK(set.labels[3] == data.labels[4]);
  CHECK(set.labels[18] == data.labels[20]);
  REQUIRE(set.report.near_duplicates.size() == 1);  // by index among the inputs
  CHECK(set.report.near_duplicates[0].first == 5);
  CHECK(set.report.near_duplicates[0].second == 10);

  std::vector<std::int64_t> groups(21);
  for (std::size_t i = 0; i < 21; ++i) groups[i] = static_cast<std::int64_t>(100 + i);
  const auto grouped = make_set(small(), data, {.groups = groups, .skip_broken = true});
  CHECK(grouped.groups[3] == 104);
  CHECK(grouped.groups[18] == 120);
  CHECK(grouped.report.near_duplicates.empty());
}

TEST_CASE("make_training_set: the images trained on validate if none are held out") {
  ImageClassifierParameters parameters = small();
  parameters.validation_fraction = 0;
  const auto set = make_set(parameters, squares(10));
  CHECK(set.split.validation.empty());
  CHECK(set.validation().size() == 10);
  CHECK_FALSE(set.report.none_held_out);
  parameters.validation_fraction = 0.2;
  const auto held_out = make_set(parameters, squares(10));
  CHECK(held_out.validation().size() == 2);
  CHECK(held_out.validation().data() == held_out.split.validation.data());
}

TEST_CASE("make_training_set: given scales replace those of the images") {
  ImageClassifierParameters parameters = small();
  parameters.mean = {0.25F};
  parameters.standard_deviation = {0.1F, 0.2F, 0.3F};
  const auto preprocessing = make_set(parameters, squares(10)).preprocessing;
  CHECK(preprocessing.mean == std::array{0.25F, 0.25F, 0.25F});
  CHECK(preprocessing.standard_deviation == std::array{0.1F, 0.2F, 0.3F});
}

TEST_CASE("make_training_set: if no image can be read, the message of the first is given") {
  Data data;
  data.images.assign(4, std::filesystem::path("no/such.png"));
  data.labels = {0, 1, 0, 1};
  CHECK_THROWS_WITH(
      make_set(small(), data, {.skip_broken = true}),
      Contains("expected images that can be read, got none") && Contains("no/such.png"));
}
