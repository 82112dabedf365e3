#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "secondlook/core/matrix.hpp"

namespace secondlook {

namespace detail {
/// A row-major matrix of another library with contiguous rows, recognised by Eigen's names for
/// these properties.
template <class Other, class Scalar>
concept RowMajorMatrix = requires(const Other& other) {
  { other.data() } -> std::convertible_to<const Scalar*>;
  { other.rows() } -> std::convertible_to<Index>;
  { other.cols() } -> std::convertible_to<Index>;
  { other.outerStride() } -> std::convertible_to<Index>;
  requires static_cast<bool>(Other::IsRowMajor);
  requires static_cast<int>(Other::InnerStrideAtCompileTime) == 1;
};
}  // namespace detail

/// Non-owning, read-only view of a row-major matrix: a `Matrix`, a NumPy array, an Eigen matrix or
/// a buffer.
///
/// The values are not copied; their owner must outlive the view. The distance between rows may be
/// larger than their length.
template <std::floating_point Scalar>
class MatrixView {
 public:
  MatrixView() = default;

  /// @param row_stride distance between rows in values, at least `cols`
  MatrixView(const Scalar* data, Index rows, Index cols, Index row_stride)
      : data_(data), rows_(rows), cols_(cols), row_stride_(row_stride) {}

  MatrixView(const Scalar* data, Index rows, Index cols) : MatrixView(data, rows, cols, cols) {}

  MatrixView(const Matrix<Scalar>& matrix)  // NOLINT(google-explicit-constructor): lossless
      : MatrixView(matrix.data(), matrix.rows(), matrix.cols()) {}

  /// A row-major `Eigen::Matrix`, `Map` or `Ref`; a column-major one does not compile.
  template <detail::RowMajorMatrix<Scalar> Other>
  MatrixView(const Other& matrix)  // NOLINT(google-explicit-constructor): lossless
      : MatrixView(matrix.data(), matrix.rows(), matrix.cols(), matrix.outerStride()) {}

  [[nodiscard]] const Scalar* data() const noexcept { return data_; }
  [[nodiscard]] Index rows() const noexcept { return rows_; }
  [[nodiscard]] Index cols() const noexcept { return cols_; }
  [[nodiscard]] Index row_stride() const noexcept { return row_stride_; }
  [[nodiscard]] std::span<const Scalar> row(Index i) const noexcept {
    return {data_ + i * row_stride_, static_cast<std::size_t>(cols_)};
  }
  [[nodiscard]] Scalar operator()(Index i, Index j) const noexcept {
    return data_[i * row_stride_ + j];
  }

  /// Rows [first, first + count).
  [[nodiscard]] MatrixView middle_rows(Index first, Index count) const noexcept {
    return {data_ + first * row_stride_, count, cols_, row_stride_};
  }

 private:
  const Scalar* data_ = nullptr;
  Index rows_ = 0;
  Index cols_ = 0;
  Index row_stride_ = 0;
};

}  // namespace secondlook
