#include "secondlook/core/matrix_view.hpp"

#include "catch.hpp"

using secondlook::Matrix;
using secondlook::MatrixView;

TEST_CASE("MatrixView: shows an Eigen matrix without a copy") {
  Matrix<double> owner = Matrix<double>::Random(5, 3);
  const MatrixView<double> view = owner;
  REQUIRE(view.data() == owner.data());
  owner(4, 2) = 42;
  REQUIRE(view(4, 2) == 42);
  REQUIRE(view.eigen() == owner);
}

TEST_CASE("MatrixView: rows may be further apart than they are long") {
  const Matrix<float> owner = Matrix<float>::Random(6, 8);
  const MatrixView<float> left(owner.data(), 6, 3, 8);
  REQUIRE(left.eigen() == owner.leftCols(3));
  const auto middle = left.middle_rows(2, 3);
  REQUIRE(middle.rows() == 3);
  REQUIRE(middle.eigen() == owner.block(2, 0, 3, 3));
}
