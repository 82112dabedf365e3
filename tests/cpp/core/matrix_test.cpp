#include "secondlook/core/matrix.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/eigen.hpp"

using secondlook::as_eigen;
using secondlook::Index;
using secondlook::Matrix;

TEST_CASE("Matrix: starts with zeros, is row-major, and takes an initializer list") {
  Matrix<double> x(2, 3);
  REQUIRE(std::ranges::count(x.values(), 0.0) == 6);
  x(1, 2) = 7;
  REQUIRE(x.data()[5] == 7);
  REQUIRE(x.row(1)[2] == 7);
  const Matrix<float> listed{{1, 2}, {3, 4}, {5, 6}};
  REQUIRE(listed.rows() == 3);
  REQUIRE(listed.cols() == 2);
  REQUIRE(listed(2, 0) == 5);
}

TEST_CASE("Matrix: copies are independent, moved-from matrices are empty") {
  Matrix<int> x{{1, 2}};
  Matrix<int> copy = x;
  copy(0, 0) = 9;
  REQUIRE(x(0, 0) == 1);
  const Matrix<int> moved = std::move(x);
  REQUIRE(moved(0, 1) == 2);
  REQUIRE(x.size() == 0);  // NOLINT(bugprone-use-after-move): this is what the test checks
  copy = copy;
  REQUIRE(copy(0, 0) == 9);
}

TEST_CASE("Matrix: keeps its shape without rows or without columns") {
  const Matrix<double> none(0, 4);
  REQUIRE(none.rows() == 0);
  REQUIRE(none.cols() == 4);
  REQUIRE(none.values().empty());
  REQUIRE(Matrix<double>(none).cols() == 4);
}

TEST_CASE("Matrix: sums its values without overflow") {
  Matrix<std::uint8_t> bytes(2, 3);
  std::ranges::fill(bytes.values(), std::uint8_t{200});
  REQUIRE(bytes.sum() == 1200);
  REQUIRE(Matrix<double>{{1, 2}, {3, 4.5}}.sum() == 10.5);
  REQUIRE(Matrix<double>(0, 4).sum() == 0);
}

TEST_CASE("Matrix: rejects impossible shapes") {
  REQUIRE_THROWS_WITH(Matrix<double>(-1, 2),
                      "Matrix: expected a shape without negative numbers, got (-1, 2)");
  const Index large = std::numeric_limits<Index>::max() / 2;
  REQUIRE_THROWS_AS(Matrix<double>(large, 3), std::bad_alloc);
  REQUIRE_THROWS_AS(Matrix<double>(large, 1), std::bad_alloc);
  REQUIRE_THROWS_WITH((Matrix<double>{{1, 2}, {3}}),
                      "Matrix: expected 2 values in each row, as in the first, got 1 in row 1");
}

TEST_CASE("as_eigen, to_matrix: give the same values, as_eigen without a copy") {
  Matrix<double> x{{1, 2}, {3, 4}};
  as_eigen(x) *= 2;
  REQUIRE(x(1, 1) == 8);
  REQUIRE(as_eigen(std::as_const(x)).sum() == 20);
  REQUIRE(secondlook::to_matrix(as_eigen(x).transpose())(0, 1) == 6);
}
