#include "secondlook/image/image_classifier.hpp"

#include <cmath>

#include "catch.hpp"
#include "image/sample_classifier.hpp"
#include "secondlook/core/error.hpp"
#include "temporary_folder.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

TEST_CASE("ImageClassifier: learns, and the same seed gives the same bits") {
  const Data data = squares(96), fresh = squares(40, 9);
  ImageClassifierParameters parameters = small();
  parameters.augmentation.horizontal_flip = 0.5;
  parameters.weight_averaging = 0.8;
  parameters.mixup = 0.2;
  ImageClassifier once(parameters), again(parameters);
  static_cast<void>(once.fit(data.images, data.labels));
  static_cast<void>(again.fit(data.images, data.labels));
  const auto probabilities = predict(once, fresh);
  CHECK(probabilities == predict(again, fresh));
  std::size_t n_right = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(probabilities[2 * i] + probabilities[2 * i + 1] == Approx(1));
    n_right += (probabilities[2 * i + 1] > 0.5) == (fresh.labels[i] == 1);
  }
  CHECK(n_right >= 36);
  CHECK(once.history().size() == 3);
  CHECK(once.n_weights() > 900'000);
}

TEST_CASE("ImageClassifier: probabilities and features in one pass are those of two") {
  const Data data = squares(40);
  ImageClassifier classifier(small());
  static_cast<void>(classifier.fit(data.images, data.labels));
  const TestTimeAugmentation test_time_augmentation = {.flip = true, .shift = true};
  std::vector<double> probabilities(2 * 40), features(40 * classifier.n_features());
  classifier.predict_proba(data.images, probabilities, test_time_augmentation);
  classifier.features(data.images, features);
  auto both =
      std::pair(std::vector<double>(probabilities.size()), std::vector<double>(features.size()));
  classifier.predict_with_features(data.images, both.first, both.second, test_time_augmentation);
  CHECK(both == std::pair(probabilities, features));
  CHECK_THROWS_WITH(classifier.predict_with_features(data.images, both.first, {}),
                    Contains("elements for features, got 0"));
}

TEST_CASE("ImageClassifier: a file gives the same model again, and damage is an error") {
  const Data data = squares(40);
  ImageClassifier classifier(small());
  static_cast<void>(classifier.fit(data.images, data.labels));
  const ModelFile file = classifier.to_file();
  const auto model = load(file);
  const auto& read = dynamic_cast<const ImageClassifier&>(*model);
  CHECK(predict(read, data) == predict(classifier, data));
  CHECK(read.to_file() == file);
  for (const auto& [name, tensor] : file.tensors()) {
    ModelFile damaged("image_classifier");
    for (const auto& [section, text] : file.sections()) damaged.set_section(section, text);
    for (const auto& [other, values] : file.tensors())
      if (other != name) damaged.add(other, values);
    CAPTURE(name);
    CHECK_THROWS_AS(ImageClassifier::from_file(damaged), ModelFileError);
  }
}

TEST_CASE("ImageClassifier: training continues from a checkpoint as if it had not been stopped") {
  const Data data = squares(64);
  const TemporaryFolder folder;
  for (const auto optimizer : {Optimizer::adamw, Optimizer::sgd}) {
    ImageClassifierParameters parameters = small();
    parameters.optimizer = optimizer;
    parameters.weight_averaging = 0.5;
    parameters.augmentation.rotation = 20;
    parameters.mixup = 0.4;
    ImageClassifier whole(parameters), parts(parameters);
    static_cast<void>(whole.fit(data.images, data.labels));
    ImageFitOptions options;
    options.checkpoint = folder.path() / "checkpoint.safetensors";
    options.progress = [](const ImageTrainingStatus& status) {
      return !(status.epoch == 1 && status.done > 4);  // in the middle of the second epoch
    };
    CHECK_THROWS_AS(parts.fit(data.images, data.labels, options), Cancelled);
    CHECK(parts.fitted());
    CHECK(parts.history().size() == 1);
    REQUIRE(std::filesystem::exists(options.checkpoint));
    // A checkpoint of other images is refused, and stays.
    const Data other = squares(64, 5);
    CHECK_THROWS_WITH(parts.fit(other.images, other.labels, options),
                      Contains("of another training; remove it to start from the beginning"));
    options.progress = {};
    static_cast<void>(parts.fit(data.images, data.labels, options));
    CHECK(predict(parts, data) == predict(whole, data));
    CHECK(parts.history().size() == 3);
    CHECK_FALSE(std::filesystem::exists(options.checkpoint));
  }
}

TEST_CASE("ImageClassifier: the callback after an epoch ends training with the best weights") {
  const Data data = squares(64);
  ImageClassifier whole(tiny()), stopped(tiny());
  std::vector<std::size_t> epochs;
  ImageFitOptions options;
  options.after_epoch = [&](const ImageTrainingStatus& status) {
    epochs.push_back(status.epoch);
    CHECK(status.last_epoch != nullptr);
    return status.epoch == 2;
  };
  static_cast<void>(whole.fit(data.images, data.labels));
  static_cast<void>(stopped.fit(data.images, data.labels, options));
  CHECK(epochs == std::vector<std::size_t>{1, 2});
  REQUIRE(stopped.history().size() == 2);
  CHECK(stopped.history()[1].loss == whole.history()[1].loss);
  CHECK(stopped.fitted());
}

TEST_CASE("ImageClassifier: an image without weight has no influence") {
  Data data = squares(40);
  ImageClassifierParameters parameters = tiny();
  parameters.validation_fraction = 0;
  parameters.mean = parameters.standard_deviation = {0.5F};  // not those of the images
  std::vector<double> weights(40, 3.0);
  for (std::size_t i = 0; i < 40; i += 5) weights[i] = 0;
  const ImageFitOptions options{.sample_weights = weights};
  ImageClassifier first(parameters), second(parameters);
  static_cast<void>(first.fit(data.images, data.labels, options));
  for (std::size_t i = 0; i < 40; i += 5) data.labels[i] = 1 - data.labels[i];
  static_cast<void>(second.fit(data.images, data.labels, options));
  const Data fresh = squares(10, 3);
  CHECK(predict(first, fresh) == predict(second, fresh));
}

TEST_CASE("ImageClassifier: unusable training data are refused") {
  const Data data = squares(20);
  ImageClassifier classifier(small());
  const auto fit = [&](const std::vector<ImageInput>& images,
                       const std::vector<std::int64_t>& labels, ImageFitOptions options = {}) {
    return classifier.fit(images, labels, options);
  };
  CHECK_THROWS_WITH(fit(data.images, std::vector<std::int64_t>(20, 0)),
                    Contains("ImageClassifier::fit: expected at least 2 classes, got 1"));
  CHECK_THROWS_WITH(fit(data.images, {0, 1}), Contains("expected one label per image (20), got 2"));
  CHECK_THROWS_WITH(fit({}, {}), Contains("expected at least 1 image, got none"));
  auto labels = data.labels;
  labels[3] = 5;
  CHECK_THROWS_WITH(fit(data.images, labels), Contains("expected images of every class"));
  labels[3] = -1;
  CHECK_THROWS_WITH(fit(data.images, labels), Contains("expected labels 0, 1, …, got -1 to 1"));
  const std::vector<std::int64_t> groups = {1, 2, 3};
  CHECK_THROWS_WITH(fit(data.images, data.labels, {.groups = groups}),
                    Contains("expected one group per image (20), got 3"));
  auto images = data.images;
  images[7] = std::filesystem::path("no/such.png");
  CHECK_THROWS_WITH(fit(images, data.labels), Contains("no/such.png"));
  const auto report = fit(images, data.labels, {.skip_broken = true});
  REQUIRE(report.skipped.size() == 1);
  CHECK(report.skipped[0].index == 7);
  CHECK_THAT(report.skipped[0].message, Contains("no/such.png"));
  CHECK_THROWS_AS(ImageClassifier(small()).heatmap(data.images[0], 0), NotFitted);
}

TEST_CASE("ImageClassifier: a class without held-out images has no recall, and is reported") {
  const Data data = squares(42);
  std::vector<std::int64_t> labels(42, 0);
  labels[7] = labels[9] = 1;  // a tenth of two rounds to none
  ImageClassifierParameters parameters = small();
  parameters.max_epochs = 1;
  ImageClassifier classifier(parameters);
  const auto report = classifier.fit(data.images, labels);
  CHECK(report.classes_not_held_out == std::vector<std::size_t>{1});
  CHECK_FALSE(report.none_held_out);
  CHECK(std::isnan(classifier.history()[0].validation_recall));
  CHECK(std::isfinite(classifier.history()[0].validation_accuracy));
  parameters.positive_class = 0;
  classifier = ImageClassifier(parameters);
  CHECK(classifier.fit(data.images, labels).classes_not_held_out.size() == 1);
  CHECK(std::isfinite(classifier.history()[0].validation_recall));
  parameters.positive_class = 2;
  CHECK_THROWS_WITH(ImageClassifier(parameters).fit(data.images, labels),
                    Contains("positive_class: expected a class from 0 to 1, or -1, got 2"));
  parameters.positive_class = -2;
  CHECK_THROWS_AS(ImageClassifier(parameters), InvalidArgument);
}

TEST_CASE("ImageClassifier: reports when no group could be held out") {
  const Data data = squares(20);
  const auto none_held_out = [&](std::vector<std::int64_t> groups, double fraction) {
    ImageClassifierParameters parameters = small();
    parameters.max_epochs = 1;
    parameters.validation_fraction = fraction;
    return ImageClassifier(parameters)
        .fit(data.images, data.labels, {.groups = groups})
        .none_held_out;
  };
  CHECK_FALSE(none_held_out({}, 0.1));
  CHECK(none_held_out(data.labels, 0.1));
  CHECK(none_held_out(std::vector<std::int64_t>(20, 1), 0.1));
  CHECK(none_held_out({}, 0.01));       // less than one image
  CHECK_FALSE(none_held_out({}, 0.0));  // as requested
}

TEST_CASE("ImageClassifier: parameters out of range are refused") {
  const auto refused = [](auto change, const char* message) {
    ImageClassifierParameters parameters = small();
    change(parameters);
    CHECK_THROWS_WITH(ImageClassifier(parameters), Contains(message));
  };
  refused([](auto& p) { p.height = 8; },
          "small_cnn: expected images of at least 16 pixels per side");
  refused([](auto& p) { p.channels = 2; }, "expected 1 or 3 channels, got 2");
  refused([](auto& p) { p.learning_rate = 0; }, "learning_rate must be above 0, got 0");
  refused([](auto& p) { p.batch_size = 1; }, "batch_size must lie in [2, 65536], got 1");
  refused([](auto& p) { p.label_smoothing = 1; }, "label_smoothing");
  refused([](auto& p) { p.mixup = 1.5; }, "mixup must lie in [0, 1], got 1.5");
  refused([](auto& p) { p.weight_averaging = 1; }, "weight_averaging");
  refused([](auto& p) { p.validation_fraction = 0.6; }, "validation_fraction");
  refused([](auto& p) { p.mean = {1, 2}; }, "mean: expected one value or three, got 2");
  refused([](auto& p) { p.augmentation.zoom = 1; }, "zoom must lie in [0, 0.9], got 1");
}

TEST_CASE("ImageClassifier: continued training keeps what was known") {
  const Data data = squares(64), fresh = squares(32, 3);
  ImageClassifier classifier(small());
  static_cast<void>(classifier.fit(data.images, data.labels));
  const auto before = predict(classifier, data);
  // Only squares, as a day without good ones would bring.
  Data ones;
  for (std::size_t i = 1; i < 32; i += 2) {
    ones.images.push_back(fresh.images[i]);
    ones.labels.push_back(1);
  }
  classifier.partial_fit(ones.images, ones.labels);
  const auto after = predict(classifier, data);
  CHECK(after != before);
  for (std::size_t i = 0; i < 64; ++i) CHECK((after[2 * i + 1] > 0.5) == (before[2 * i + 1] > 0.5));
  CHECK_THROWS_WITH(classifier.partial_fit(ones.images, std::vector<std::int64_t>(16, 2)),
                    Contains("expected labels from 0 to 1, got 2"));
  CHECK(predict(classifier, data) == after);
}

TEST_CASE("ImageClassifier: the heat map finds the square") {
  const Data data = squares(128);
  ImageClassifierParameters parameters = small();
  parameters.height = parameters.width = 32;
  parameters.max_epochs = 5;
  ImageClassifier classifier(parameters);
  static_cast<void>(classifier.fit(data.images, data.labels));
  const Image image = make_image(64, 64, 1, [](auto row, auto column, auto) {
    return row >= 36 && row < 60 && column >= 36 && column < 60 ? 200 : 50;
  });
  const Heatmap map = classifier.heatmap(image, 1);
  REQUIRE(map.height == 64);
  REQUIRE(map.values.size() == 64 * 64);
  double inside = 0, outside = 0, largest = 0;
  for (std::size_t row = 0; row < 64; ++row)
    for (std::size_t column = 0; column < 64; ++column) {
      const double value = map.values[row * 64 + column];
      (row >= 32 && column >= 32 ? inside : outside) += value / (row >= 32 && column >= 32 ? 1 : 3);
      largest = std::max(largest, value);
    }
  CHECK(largest == Approx(1));
  CHECK(inside > 1.5 * outside);
  const Image picture = classifier.overlay(image, 1, 0.0);
  CHECK(picture.channels == 3);
  CHECK(values_of(picture)[0] == 50);
  CHECK(classifier.overlay(image, 1) != picture);
}
