#include "secondlook/decide/feature_distance.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "decide/labelled_cases.hpp"
#include "secondlook/core/error.hpp"

using secondlook::FeatureDistance;
using secondlook::Matrix;
using secondlook::RandomStream;

namespace {

Matrix<double> normal_matrix(Eigen::Index n, Eigen::Index d, RandomStream& random) {
  Matrix<double> x(n, d);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < d; ++j) x(i, j) = normal(random);
  return x;
}

}  // namespace

TEST_CASE("FeatureDistance: does not change when features are turned and stretched together") {
  RandomStream random(1);
  const Matrix<double> x = normal_matrix(500, 4, random);
  const auto plain = FeatureDistance(x).distances(x);
  const Matrix<double> turned =
      3 * x * Eigen::Matrix4d(Eigen::MatrixXd::Identity(4, 4).rowwise().reverse());
  const auto same = FeatureDistance(turned).distances(turned);
  for (std::size_t i = 0; i < plain.size(); ++i) REQUIRE(same[i] == Approx(plain[i]));
  // About the root of the number of features, as squares of normal deviates add up.
  double squares = 0;
  for (const double distance : plain) squares += distance * distance;
  REQUIRE(squares / 500 == Approx(4).epsilon(0.05));
}

TEST_CASE("FeatureDistance: from the nearest class") {
  RandomStream random(2);
  Matrix<double> x = normal_matrix(400, 3, random);
  std::vector<std::int64_t> classes(400);
  for (Eigen::Index i = 200; i < 400; ++i) {
    x.row(i).array() += 20;
    classes[static_cast<std::size_t>(i)] = 7;
  }
  const FeatureDistance fitted(x, classes);
  Matrix<double> places(3, 3);
  places << 0, 0, 0, 20, 20, 20, 10, 10, 10;
  const auto distances = fitted.distances(places);
  REQUIRE(distances[0] < 1);
  REQUIRE(distances[1] < 1);
  REQUIRE(distances[2] > 10);
  const auto in_float = fitted.distances(Matrix<float>(places.cast<float>()));
  for (std::size_t i = 0; i < 3; ++i) REQUIRE(in_float[i] == Approx(distances[i]));
  REQUIRE(FeatureDistance(fitted.means(), fitted.whitening()).distances(places) == distances);
}

TEST_CASE("FeatureDistance: says what is wrong") {
  const Matrix<double> x = Matrix<double>::Ones(5, 2);
  REQUIRE_THROWS_AS(FeatureDistance(x), secondlook::InvalidArgument);  // nothing varies
  REQUIRE_THROWS_AS(FeatureDistance(Matrix<double>(x.topRows(1))), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(FeatureDistance(x, std::vector<std::int64_t>{1}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(FeatureDistance(x, Matrix<double>::Ones(3, 3)), secondlook::InvalidArgument);
  RandomStream random(3);
  REQUIRE_THROWS_AS(FeatureDistance(normal_matrix(9, 3, random)).distances(x),
                    secondlook::InvalidArgument);
}
