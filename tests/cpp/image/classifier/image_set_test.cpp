#include "image/classifier/image_set.hpp"

#include <atomic>
#include <limits>
#include <string>
#include <thread>

#include "catch.hpp"
#include "image/sample_classifier.hpp"
#include "secondlook/core/error.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Floats that cannot be prepared.
Image broken_image(std::size_t side) {
  return {side, side, 1, std::vector<float>(side * side, kNan)};
}

/// `n_good` images, then broken ones. The first of those is large: its error comes after the
/// others'.
std::vector<ImageInput> inputs_with_broken_ones(std::size_t n_good, std::size_t n_broken) {
  std::vector<ImageInput> inputs = squares(n_good).images;
  inputs.emplace_back(broken_image(600));
  for (std::size_t i = 1; i < n_broken; ++i) inputs.emplace_back(broken_image(2));
  return inputs;
}

}  // namespace

TEST_CASE("for_each_image: the exception of the lowest index, whatever the number of threads") {
  for (const std::size_t n_threads : {1U, 2U, 4U, 8U})
    for (std::size_t repeat = 0; repeat < 10; ++repeat) {
      CAPTURE(n_threads, repeat);
      // Image 3 fails after one of a later index has, unless no other thread ever gets there.
      std::atomic<bool> later_failed{false};
      const auto work = [&](std::size_t i) {
        if (i < 3) return;
        if (i > 3) {
          later_failed = true;
          throw InvalidArgument("image " + std::to_string(i));
        }
        // Few yields: on a busy machine each takes as long as the other processes like.
        const int most = n_threads > 1 ? 100 : 0;
        for (int wait = 0; wait < most && !later_failed; ++wait) std::this_thread::yield();
        throw InvalidArgument("image 3");
      };
      CHECK_THROWS_WITH(image::for_each_image(20, n_threads, work), "image 3");
    }
}

TEST_CASE("for_each_image: every index once, and none of no images") {
  for (const std::size_t n : {0U, 1U, 2U, 100U}) {
    std::vector<std::atomic<int>> n_calls(n);
    image::for_each_image(n, 4, [&](std::size_t i) { ++n_calls[i]; });
    for (const auto& calls : n_calls) CHECK(calls == 1);
  }
}

TEST_CASE("for_each_image: a request to stop is not taken for a broken image") {
  const auto stop = [](std::size_t, std::size_t) { return false; };
  CHECK_THROWS_AS(image::for_each_image(5, 2, [](std::size_t) {}, stop), Cancelled);
}

TEST_CASE("load_images: the first broken image is named, whatever the number of threads") {
  const auto inputs = inputs_with_broken_ones(2, 30);
  Preprocessing preprocessing;
  preprocessing.height = preprocessing.width = 16;
  for (const std::size_t n_threads : {1U, 2U, 8U})
    for (std::size_t repeat = 0; repeat < 10; ++repeat)
      CHECK_THROWS_WITH(
          image::load_images("fit", inputs, preprocessing, false, n_threads, {}),
          Contains("fit: image 2: expected floats in [0, 1], got NaN or infinity in 360000 of"));
}

TEST_CASE("load_images: those skipped are listed in order") {
  const auto inputs = inputs_with_broken_ones(2, 30);
  Preprocessing preprocessing;
  preprocessing.height = preprocessing.width = 16;
  const auto set = image::load_images("fit", inputs, preprocessing, true, 4, {});
  CHECK(set.indices == std::vector<std::size_t>{0, 1});
  CHECK(set.images.size() == 2);
  REQUIRE(set.broken.size() == 30);
  for (std::size_t i = 0; i < 30; ++i) CHECK(set.broken[i].index == i + 2);
}

TEST_CASE("ImageClassifier: fit and predictions name the first broken image") {
  const Data data = squares(40);
  ImageClassifierParameters parameters = tiny();
  parameters.max_epochs = 1;
  parameters.n_jobs = 8;
  ImageClassifier classifier(parameters);
  static_cast<void>(classifier.fit(data.images, data.labels));
  // Broken ones in a batch's middle, and after a whole batch.
  for (const std::size_t n_good : {5U, 37U}) {
    const auto inputs = inputs_with_broken_ones(n_good, 30);
    std::vector<std::int64_t> labels(inputs.size());
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 2);
    std::vector<double> probabilities(2 * inputs.size());
    const auto first = Contains(": image " + std::to_string(n_good) + ": expected floats in");
    for (std::size_t repeat = 0; repeat < 10; ++repeat) {
      CHECK_THROWS_WITH(classifier.predict_proba(inputs, probabilities), first);
      CHECK_THROWS_WITH(classifier.partial_fit(inputs, labels), first);
      CHECK_THROWS_WITH(classifier.labelled_rows(inputs, labels), first);
      CHECK_THROWS_WITH(classifier.fit(inputs, labels), first);
    }
  }
}
