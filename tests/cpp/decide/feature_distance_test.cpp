#include "secondlook/decide/feature_distance.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/eigen.hpp"

using secondlook::EigenMatrix;
using secondlook::FeatureDistance;
using secondlook::Index;
using secondlook::RandomStream;

namespace {

EigenMatrix<double> normal_matrix(Index n, Index d, RandomStream& random) {
  EigenMatrix<double> x(n, d);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < d; ++j) x(i, j) = normal(random);
  return x;
}

}  // namespace

TEST_CASE("FeatureDistance: does not change when features are rotated and scaled together") {
  RandomStream random(1);
  const EigenMatrix<double> x = normal_matrix(500, 4, random);
  const auto plain = FeatureDistance(x, x).distances(x);
  const EigenMatrix<double> turned =
      3 * x * Eigen::Matrix4d(Eigen::MatrixXd::Identity(4, 4).rowwise().reverse());
  const auto same = FeatureDistance(turned, turned).distances(turned);
  for (std::size_t i = 0; i < plain.size(); ++i) REQUIRE(same[i] == Approx(plain[i]));
  // About the square root of the number of features, a sum of squared normal deviates.
  double squares = 0;
  for (const double distance : plain) squares += distance * distance;
  REQUIRE(squares / 500 == Approx(4).epsilon(0.05));
}

TEST_CASE("FeatureDistance: is the distance from the nearest class") {
  RandomStream random(2);
  EigenMatrix<double> x = normal_matrix(400, 3, random);
  std::vector<std::int64_t> classes(400);
  for (Index i = 200; i < 400; ++i) {
    x.row(i).array() += 20;
    classes[static_cast<std::size_t>(i)] = 7;
  }
  const FeatureDistance fitted(x, x, 0.01, classes);
  EigenMatrix<double> places(3, 3);
  places << 0, 0, 0, 20, 20, 20, 10, 10, 10;
  const auto distances = fitted.distances(places);
  REQUIRE(distances[0] < 1);
  REQUIRE(distances[1] < 1);
  REQUIRE(distances[2] > 10);
  const auto in_float = fitted.distances(EigenMatrix<float>(places.cast<float>()));
  for (std::size_t i = 0; i < 3; ++i) REQUIRE(in_float[i] == Approx(distances[i]));
  REQUIRE(fitted.is_out_of_distribution(places) == std::vector<bool>{false, false, true});
  REQUIRE(fitted.is_out_of_distribution(EigenMatrix<float>(places.cast<float>())) ==
          fitted.is_out_of_distribution(places));
  const FeatureDistance again(fitted.state());
  REQUIRE(again.distances(places) == distances);
  REQUIRE(again.threshold() == fitted.threshold());
}

TEST_CASE("FeatureDistance: keeps the false-alarm rate") {
  RandomStream random(4);
  const double rate = GENERATE(0.02, 0.1);
  const FeatureDistance fitted(normal_matrix(300, 5, random), normal_matrix(500, 5, random), rate);
  const auto out_of_distribution = fitted.is_out_of_distribution(normal_matrix(20000, 5, random));
  const double fraction =
      static_cast<double>(std::ranges::count(out_of_distribution, true)) / 20000;
  // Five standard deviations of a threshold from 500 samples.
  REQUIRE(std::abs(fraction - rate) < 5 * std::sqrt(rate * (1 - rate) / 500));
}

TEST_CASE("FeatureDistance: reports invalid arguments") {
  const EigenMatrix<double> x = EigenMatrix<double>::Ones(5, 2);
  REQUIRE_THROWS_AS(FeatureDistance(x, x, 0.5), secondlook::InvalidArgument);  // constant features
  RandomStream random(3);
  const EigenMatrix<double> y = normal_matrix(9, 3, random);
  REQUIRE_THROWS_AS(FeatureDistance(EigenMatrix<double>(y.topRows(1)), y, 0.5),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(FeatureDistance(y, y, 0.5, std::vector<std::int64_t>{1}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(FeatureDistance(y, x, 0.5), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(FeatureDistance(y, y, 0.01), secondlook::InvalidArgument);  // too few
  FeatureDistance::State state = FeatureDistance(y, y, 0.5).state();
  REQUIRE_THROWS_AS(FeatureDistance(y, y, 0.5).distances(x), secondlook::InvalidArgument);
  const auto refused = [&](auto change) {
    auto changed = state;
    change(changed);
    REQUIRE_THROWS_AS(FeatureDistance(changed), secondlook::InvalidArgument);
  };
  refused([](auto& s) { s.whitening = secondlook::Matrix<double>{{1, 1, 1}, {1, 1, 1}}; });
  refused([](auto& s) { s.means(0, 0) = std::numeric_limits<double>::quiet_NaN(); });
  refused([](auto& s) { s.threshold = std::numeric_limits<double>::infinity(); });
  refused([](auto& s) { s.false_alarm_rate = 1; });
}
