#include "image/classifier/batch_pipeline.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

TEST_CASE("BatchPipeline: batches in order, never over the one in use, errors at their batch") {
  image::BatchPipeline pipeline(50, [](std::size_t number, image::Batch& batch) {
    if (number == 40) throw InvalidArgument("the fortieth");
    batch.size = number;
    batch.values.assign(100, static_cast<float>(number));
  });
  for (std::size_t number = 0; number < 40; ++number) {
    const auto& batch = pipeline.next();
    REQUIRE(batch.size == number);
    for (const float value : batch.values) REQUIRE(value == static_cast<float>(number));
  }
  CHECK_THROWS_WITH(pipeline.next(), Contains("the fortieth"));
  // Destroyed before its end, it stops.
  image::BatchPipeline unused(50, [](std::size_t, image::Batch&) {});
}

TEST_CASE("BatchPipeline: at most two batches are made ahead of the one in use") {
  std::atomic<std::size_t> n_made{0};
  image::BatchPipeline pipeline(30, [&](std::size_t, image::Batch&) { ++n_made; });
  for (std::size_t number = 0; number < 30; ++number) {
    static_cast<void>(pipeline.next());
    CHECK(n_made <= number + 3);
  }
  CHECK(n_made == 30);
}

TEST_CASE("BatchPipeline: a single batch, and the error of a single batch") {
  image::BatchPipeline one(
      1, [](std::size_t number, image::Batch& batch) { batch.size = number + 7; });
  CHECK(one.next().size == 7);
  CHECK(one.seconds_waited() == 0);
  image::BatchPipeline broken(1,
                              [](std::size_t, image::Batch&) { throw InvalidArgument("first"); });
  CHECK_THROWS_WITH(broken.next(), Contains("first"));
  image::BatchPipeline none(0, [](std::size_t, image::Batch&) { FAIL("there are no batches"); });
}

TEST_CASE("batches: every image once, and none by itself unless it is the only one") {
  for (std::size_t n = 1; n <= 70; ++n)
    for (std::size_t batch_size = 2; batch_size <= 35; ++batch_size) {
      CAPTURE(n, batch_size);
      std::vector<std::size_t> order(n), seen;
      std::iota(order.begin(), order.end(), std::size_t{0});
      const std::size_t n_batches = image::count_batches(n, batch_size);
      for (std::size_t number = 0; number < n_batches; ++number) {
        const auto batch = image::batch_of(order, number, batch_size);
        REQUIRE(batch.size() >= std::min<std::size_t>(n, 2));
        REQUIRE(batch.size() <= batch_size + 1);
        seen.insert(seen.end(), batch.begin(), batch.end());
      }
      REQUIRE(seen == order);
    }
}
