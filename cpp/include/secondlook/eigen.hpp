#pragma once

// For programs that use Eigen. No other header of secondlook includes Eigen.

#include <Eigen/Core>

#include "secondlook/core/matrix.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// Eigen matrix with the layout that a `MatrixView` accepts without a copy.
template <class Scalar>
using EigenMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The values of `view` as an Eigen expression, without a copy.
template <class Scalar>
[[nodiscard]] auto as_eigen(MatrixView<Scalar> view) {
  return Eigen::Map<const EigenMatrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>(
      view.data(), view.rows(), view.cols(), Eigen::OuterStride<>(view.row_stride()));
}

/// The values of `matrix` as an Eigen expression, without a copy.
template <class Scalar>
[[nodiscard]] auto as_eigen(const Matrix<Scalar>& matrix) {
  return Eigen::Map<const EigenMatrix<Scalar>>(matrix.data(), matrix.rows(), matrix.cols());
}

/// The values of `matrix` as an Eigen expression that can be assigned to, without a copy.
template <class Scalar>
[[nodiscard]] auto as_eigen(Matrix<Scalar>& matrix) {
  return Eigen::Map<EigenMatrix<Scalar>>(matrix.data(), matrix.rows(), matrix.cols());
}

/// A copy of the value of an Eigen expression.
template <class Derived>
[[nodiscard]] Matrix<typename Derived::Scalar> to_matrix(const Eigen::DenseBase<Derived>& values) {
  Matrix<typename Derived::Scalar> matrix(values.rows(), values.cols());
  as_eigen(matrix) = values.derived();
  return matrix;
}

}  // namespace secondlook
