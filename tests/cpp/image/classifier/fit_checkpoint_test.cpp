// Checkpoints are tested through `fit`: the tests do not include LibTorch.
#include <fstream>

#include "catch.hpp"
#include "image/sample_classifier.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/store/model_file.hpp"
#include "temporary_folder.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

namespace {

/// A checkpoint of `parameters` on `data`, after the first epoch.
void write_checkpoint(const ImageClassifierParameters& parameters, const Data& data,
                      const std::filesystem::path& path) {
  ImageClassifier classifier(parameters);
  const auto stop = [](const ImageTrainingStatus& status) { return status.epoch == 0; };
  CHECK_THROWS_AS(classifier.fit(data.images, data.labels, {.checkpoint = path, .progress = stop}),
                  Cancelled);
  REQUIRE(std::filesystem::exists(path));
}

}  // namespace

TEST_CASE("FitCheckpoint: other data, labels, groups or parameters are another training") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "checkpoint.safetensors";
  const Data data = squares(20);
  const ImageClassifierParameters parameters = tiny();
  write_checkpoint(parameters, data, path);
  const auto refused = [&](const ImageClassifierParameters& p, const Data& d,
                           std::span<const std::int64_t> groups = {}) {
    CHECK_THROWS_WITH(
        ImageClassifier(p).fit(d.images, d.labels, {.groups = groups, .checkpoint = path}),
        Contains("checkpoint.safetensors") && Contains("of another training"));
    CHECK(std::filesystem::exists(path));
  };
  Data labels = data;
  std::swap(labels.labels[0], labels.labels[1]);
  refused(parameters, labels);
  Data order = data;
  std::swap(order.images[0], order.images[2]);  // of the same class
  refused(parameters, order);
  std::vector<std::int64_t> groups(20);
  for (std::size_t i = 0; i < 20; ++i) groups[i] = static_cast<std::int64_t>(i / 2);
  refused(parameters, data, groups);
  ImageClassifierParameters changed = parameters;
  changed.seed += 1;
  refused(changed, data);
  changed = parameters;
  changed.weight_decay *= 2;
  refused(changed, data);
}

TEST_CASE("FitCheckpoint: damaged files and models are refused, and stay") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "checkpoint.safetensors";
  const Data data = squares(20);
  ImageClassifierParameters parameters = tiny();
  parameters.max_epochs = 1;
  const auto fit = [&] {
    ImageClassifier classifier(parameters);
    static_cast<void>(classifier.fit(data.images, data.labels, {.checkpoint = path}));
    return classifier;
  };
  std::ofstream(path) << "not a checkpoint";
  CHECK_THROWS_AS(fit(), ModelFileError);
  CHECK(std::filesystem::exists(path));
  std::filesystem::remove(path);
  fit().to_file().write(path);
  CHECK_THROWS_WITH(fit(),
                    Contains("expected a checkpoint, got a model of kind 'image_classifier'"));
  CHECK(std::filesystem::exists(path));
}

TEST_CASE(
    "FitCheckpoint: the history of all epochs is continued, and the file removed at the end") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "checkpoint.safetensors";
  const Data data = squares(20);
  write_checkpoint(tiny(), data, path);
  std::vector<std::size_t> epochs;
  ImageClassifier classifier(tiny());
  const auto note = [&](const ImageTrainingStatus& status) {
    epochs.push_back(status.epoch);
    return true;
  };
  static_cast<void>(
      classifier.fit(data.images, data.labels, {.checkpoint = path, .progress = note}));
  CHECK(epochs.back() == 3);
  CHECK(classifier.history().size() == 3);
  CHECK_FALSE(std::filesystem::exists(path));
}
