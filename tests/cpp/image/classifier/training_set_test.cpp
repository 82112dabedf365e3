#include "image/classifier/training_set.hpp"

#include <algorithm>
#include <cmath>

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

TEST_CASE("make_training_set: images given for validation are held out, all others trained on") {
  Data data = squares(20);
  const Data others = squares(7, 5);
  data.images[4] = others.images[3];
  data.images[9] = data.images[8];  // alike, but both trained on
  ImageFitOptions options;
  options.validation_images = others.images;
  options.validation_labels = others.labels;
  const auto set = make_set(small(), data, options);
  CHECK(set.split.training.size() == 20);
  CHECK(set.split.validation == std::vector<std::size_t>{20, 21, 22, 23, 24, 25, 26});
  for (std::size_t i = 0; i < 7; ++i) CHECK(set.labels[20 + i] == others.labels[i]);
  CHECK_FALSE(set.report.none_held_out);
  REQUIRE(set.report.near_duplicates.size() == 1);
  CHECK(set.report.near_duplicates[0].first == 4);
  CHECK(set.report.near_duplicates[0].second == 3);
  // The scale is that of the images trained on.
  CHECK(set.preprocessing.mean == make_set(
                                      [] {
                                        auto p = small();
                                        p.validation_fraction = 0;
                                        return p;
                                      }(),
                                      data)
                                      .preprocessing.mean);

  const std::vector<std::int64_t> unknown(7, 2);
  options.validation_labels = unknown;
  CHECK_THROWS_WITH(
      make_set(small(), data, options),
      Contains("ImageClassifier::fit: validation data: expected labels from 0 to 1, got 2"));
  options.validation_labels = std::span(unknown).first(6);
  CHECK_THROWS_WITH(make_set(small(), data, options),
                    Contains("expected one label per validation image (7), got 6"));
}

TEST_CASE("make_training_set: broken images given for validation are named or skipped") {
  const Data data = squares(20);
  Data others = squares(3, 5);
  others.images[1] = Image{};
  ImageFitOptions options;
  options.validation_images = others.images;
  options.validation_labels = others.labels;
  CHECK_THROWS_WITH(make_set(small(), data, options), Contains("validation data: image 1: "));
  options.skip_broken = true;
  const auto set = make_set(small(), data, options);
  CHECK(set.split.validation.size() == 2);
  REQUIRE(set.report.skipped_validation.size() == 1);
  CHECK(set.report.skipped_validation[0].index == 1);
  CHECK(set.report.skipped.empty());
}

TEST_CASE("make_training_set: sample weights are 1 on average over the images trained on") {
  const Data data = squares(20);
  std::vector<double> weights(20);
  for (std::size_t i = 0; i < 20; ++i) weights[i] = static_cast<double>(i);
  const auto set = make_set(small(), data, {.sample_weights = weights});
  double sum = 0;
  for (const auto i : set.split.training) sum += set.sample_weights[i];
  CHECK(sum == Approx(static_cast<double>(set.split.training.size())));
  CHECK(set.sample_weights[19] == Approx(19 * set.sample_weights[1]));
  CHECK(set.sample_weights[0] == 0);
  CHECK(make_set(small(), data).sample_weights.empty());

  const auto refused = [&](std::span<const double> wrong, const char* message) {
    CHECK_THROWS_WITH(make_set(small(), data, {.sample_weights = wrong}), Contains(message));
  };
  refused(std::span(weights).first(19), "expected one sample weight per image (20), got 19");
  weights[3] = -1;
  refused(weights, "expected finite sample weights of at least 0, got -1");
  std::ranges::fill(weights, 0.0);
  refused(weights, "expected sample weights above 0 among the images trained on");
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
