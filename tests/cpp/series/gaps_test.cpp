#include "secondlook/series/gaps.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::interpolate;
using secondlook::Matrix;
using secondlook::Origin;

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::int64_t> kTimes = {0, 10, 30, 40, 100, 110};
}  // namespace

TEST_CASE("interpolate: short gaps lie on the line between their neighbours") {
  Matrix<double> values{{1}, {kNan}, {kNan}, {5}, {kNan}, {6}};
  const auto origins = interpolate(kTimes, values, 40);
  REQUIRE(values(1, 0) == 2);
  REQUIRE(values(2, 0) == 4);
  REQUIRE(std::isnan(values(4, 0)));
  REQUIRE(origins(0, 0) == Origin::measured);
  REQUIRE(origins(1, 0) == Origin::interpolated);
  REQUIRE(origins(4, 0) == Origin::missing);
}

TEST_CASE("interpolate: values without readings on both sides remain missing") {
  Matrix<double> values{{kNan, kNan}, {1, kNan}, {kNan, kNan}, {3, kNan}, {4, kNan}, {kNan, kNan}};
  const auto origins = interpolate(kTimes, values, 1000);
  REQUIRE(std::isnan(values(0, 0)));
  REQUIRE(std::isnan(values(5, 0)));
  REQUIRE(origins(2, 0) == Origin::interpolated);
  for (secondlook::Index i = 0; i < 6; ++i) REQUIRE(origins(i, 1) == Origin::missing);
}

TEST_CASE("interpolate: reports invalid arguments") {
  Matrix<double> values(6, 1);
  REQUIRE_THROWS_AS(interpolate(kTimes, values, -1), secondlook::InvalidArgument);
  REQUIRE_THROWS_WITH(interpolate({}, values, 1),
                      "interpolate: expected one time per row (6), got 0");
  values(2, 0) = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_AS(interpolate(kTimes, values, 1), secondlook::InvalidArgument);
}
