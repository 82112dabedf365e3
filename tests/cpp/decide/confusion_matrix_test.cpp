#include "secondlook/decide/confusion_matrix.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::confusion_matrix;
using secondlook::ConfusionMatrix;

TEST_CASE("confusion_matrix: a score equal to the threshold is positive") {
  const std::vector<double> scores{0.1, 0.5, 0.5, 0.9, 0.2};
  const std::vector<std::uint8_t> labels{0, 0, 1, 1, 1};
  REQUIRE(confusion_matrix(scores, labels, 0.5) == ConfusionMatrix{1, 1, 1, 2});
  REQUIRE(confusion_matrix(scores, labels, std::numeric_limits<double>::infinity()) ==
          ConfusionMatrix{2, 0, 3, 0});
}

TEST_CASE("ConfusionMatrix: measures by their definitions") {
  const ConfusionMatrix c{50, 10, 5, 35};
  REQUIRE(c.total() == 100);
  REQUIRE(c.accuracy() == 0.85);
  REQUIRE(c.recall() == 35.0 / 40);
  REQUIRE(c.specificity() == 50.0 / 60);
  REQUIRE(c.precision() == 35.0 / 45);
  REQUIRE(c.f_beta() == Approx(2 * c.precision() * c.recall() / (c.precision() + c.recall())));
  REQUIRE(c.f_beta(2) == Approx(5 * c.precision() * c.recall() / (4 * c.precision() + c.recall())));
  REQUIRE(c.balanced_accuracy() == (c.recall() + c.specificity()) / 2);
  REQUIRE(c.matthews() == Approx((35.0 * 50 - 10 * 5) / std::sqrt(45.0 * 40 * 60 * 55)));
}

TEST_CASE("ConfusionMatrix: NaN where there is nothing to divide by, and no overflow") {
  REQUIRE(std::isnan(ConfusionMatrix{}.accuracy()));
  REQUIRE(std::isnan(ConfusionMatrix{3, 0, 2, 0}.precision()));
  REQUIRE(std::isnan(ConfusionMatrix{3, 1, 0, 0}.recall()));
  REQUIRE(std::isnan(ConfusionMatrix{3, 0, 2, 0}.matthews()));
  constexpr std::int64_t kMany = 1'000'000'000'000;
  REQUIRE(ConfusionMatrix{kMany, 0, 0, kMany}.matthews() == Approx(1));
}

TEST_CASE("confusion_matrix: reports invalid arguments") {
  const std::vector<double> scores{0.1, 0.5};
  const std::vector<std::uint8_t> labels{0, 2};
  REQUIRE_THROWS_WITH(
      confusion_matrix(scores, labels, 0.5),
      "confusion_matrix: expected labels 0 (normal) and 1 (abnormal), got 2 at index 1");
  REQUIRE_THROWS_WITH(confusion_matrix(scores, std::vector<std::uint8_t>{1}, 0.5),
                      "confusion_matrix: expected one label per score (2), got 1");
  REQUIRE_THROWS_AS(confusion_matrix({}, {}, 0.5), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(confusion_matrix(scores, std::vector<std::uint8_t>{0, 1}, std::nan("")),
                    secondlook::InvalidArgument);
}
