#pragma once

#include <Eigen/Core>
#include <concepts>

namespace secondlook {

/// Dense row-major matrix that owns its values: one row per sample.
template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Read-only look at a row-major matrix of someone else's: a NumPy array, an Eigen matrix, a
/// buffer.
///
/// Nothing is copied; the owner must outlive the view. Rows may be further apart than they are
/// long.
template <std::floating_point Scalar>
class MatrixView {
 public:
  MatrixView() = default;

  /// @param row_stride distance between rows in values, at least `cols`
  MatrixView(const Scalar* data, Eigen::Index rows, Eigen::Index cols, Eigen::Index row_stride)
      : data_(data), rows_(rows), cols_(cols), row_stride_(row_stride) {}

  MatrixView(const Scalar* data, Eigen::Index rows, Eigen::Index cols)
      : MatrixView(data, rows, cols, cols) {}

  MatrixView(
      const Matrix<Scalar>& matrix)  // NOLINT(google-explicit-constructor): a matrix is a view
      : MatrixView(matrix.data(), matrix.rows(), matrix.cols(), matrix.outerStride()) {}

  [[nodiscard]] const Scalar* data() const noexcept { return data_; }
  [[nodiscard]] Eigen::Index rows() const noexcept { return rows_; }
  [[nodiscard]] Eigen::Index cols() const noexcept { return cols_; }
  [[nodiscard]] Eigen::Index row_stride() const noexcept { return row_stride_; }
  [[nodiscard]] const Scalar* row(Eigen::Index i) const noexcept { return data_ + i * row_stride_; }
  [[nodiscard]] Scalar operator()(Eigen::Index i, Eigen::Index j) const noexcept {
    return row(i)[j];
  }

  /// Rows [first, first + count).
  [[nodiscard]] MatrixView middle_rows(Eigen::Index first, Eigen::Index count) const noexcept {
    return {row(first), count, cols_, row_stride_};
  }

  /// The same values as an Eigen expression.
  [[nodiscard]] auto eigen() const {
    return Eigen::Map<const Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>(
        data_, rows_, cols_, Eigen::OuterStride<>(row_stride_));
  }

 private:
  const Scalar* data_ = nullptr;
  Eigen::Index rows_ = 0;
  Eigen::Index cols_ = 0;
  Eigen::Index row_stride_ = 0;
};

}  // namespace secondlook
