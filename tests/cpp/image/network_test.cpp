#include "secondlook/image/network.hpp"

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using namespace secondlook;

TEST_CASE("train_small_network: the loss falls, and the seed alone decides it") {
  const TrainingLoss once = train_small_network(256, 8, 32, 50, 7);
  const TrainingLoss again = train_small_network(256, 8, 32, 50, 7);
  CHECK(once.last < 0.9 * once.first);
  CHECK(once.first == again.first);
  CHECK(once.last == again.last);
}

TEST_CASE("train_small_network: a size of zero is refused") {
  CHECK_THROWS_AS(train_small_network(256, 0, 32, 50, 7), InvalidArgument);
}
