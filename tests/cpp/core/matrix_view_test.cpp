#include "secondlook/core/matrix_view.hpp"

#include <concepts>

#include "catch.hpp"
#include "secondlook/eigen.hpp"

using secondlook::as_eigen;
using secondlook::EigenMatrix;
using secondlook::Matrix;
using secondlook::MatrixView;

TEST_CASE("MatrixView: views Matrix and Eigen matrices without a copy") {
  Matrix<double> ours{{1, 2, 3}, {4, 5, 6}};
  const MatrixView<double> view = ours;
  REQUIRE(view.data() == ours.data());
  ours(1, 2) = 42;
  REQUIRE(view(1, 2) == 42);
  REQUIRE(view.row(1).back() == 42);
  REQUIRE(view.row(0).size() == 3);

  EigenMatrix<double> theirs = EigenMatrix<double>::Random(5, 3);
  const MatrixView<double> shown = theirs;
  REQUIRE(shown.data() == theirs.data());
  REQUIRE(as_eigen(shown) == theirs);
  REQUIRE(as_eigen(MatrixView<double>(theirs.middleRows(1, 2))) == theirs.middleRows(1, 2));
}

TEST_CASE("MatrixView: rejects matrices that would need a copy at compile time") {
  STATIC_REQUIRE(std::convertible_to<EigenMatrix<float>, MatrixView<float>>);
  STATIC_REQUIRE_FALSE(std::convertible_to<EigenMatrix<float>, MatrixView<double>>);
  STATIC_REQUIRE_FALSE(std::convertible_to<Eigen::MatrixXf, MatrixView<float>>);
  using EverySecond = Eigen::Map<EigenMatrix<float>, Eigen::Unaligned, Eigen::Stride<-1, -1>>;
  STATIC_REQUIRE_FALSE(std::convertible_to<EverySecond, MatrixView<float>>);
}

TEST_CASE("MatrixView: rows may be further apart than their length") {
  const EigenMatrix<float> owner = EigenMatrix<float>::Random(6, 8);
  const MatrixView<float> left(owner.data(), 6, 3, 8);
  REQUIRE(as_eigen(left) == owner.leftCols(3));
  const auto middle = left.middle_rows(2, 3);
  REQUIRE(middle.rows() == 3);
  REQUIRE(as_eigen(middle) == owner.block(2, 0, 3, 3));
}
