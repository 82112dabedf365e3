#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Index of a row or column; signed, so that loops can count down.
using Index = std::ptrdiff_t;

namespace detail {
/// Memory for rows × cols values, all bits zero; nullptr for no values.
/// @throws InvalidArgument if a number is negative, std::bad_alloc
[[nodiscard]] SECONDLOOK_EXPORT void* allocate_matrix(Index rows, Index cols,
                                                      std::size_t value_size);
SECONDLOOK_EXPORT void free_matrix(void* values) noexcept;

[[noreturn]] SECONDLOOK_EXPORT void refuse_ragged_rows(Index expected, Index got, Index row);
}  // namespace detail

/// Dense row-major matrix that owns its values: one row per sample.
///
/// The library allocates and frees the values, so a matrix can be passed to and from code that was
/// compiled for another processor. `secondlook/eigen.hpp` maps a matrix as an Eigen matrix without
/// a copy.
template <class Value>
class Matrix {
  static_assert(std::is_trivially_copyable_v<Value>);

 public:
  Matrix() = default;

  /// Matrix of zeros.
  Matrix(Index rows, Index cols) { resize(rows, cols); }

  /// Matrix with the given rows: `Matrix<double> x{{1, 2}, {3, 4}}`.
  /// @throws InvalidArgument if the rows differ in length
  Matrix(std::initializer_list<std::initializer_list<Value>> rows)
      : Matrix(std::ssize(rows), rows.size() == 0 ? 0 : std::ssize(*rows.begin())) {
    Index i = 0;
    for (const auto& values : rows) {
      if (std::ssize(values) != cols_) detail::refuse_ragged_rows(cols_, std::ssize(values), i);
      std::ranges::copy(values, row(i++).begin());
    }
  }

  Matrix(const Matrix& other) : Matrix(other.rows_, other.cols_) {
    std::copy_n(other.data_, other.size(), data_);
  }
  Matrix(Matrix&& other) noexcept { swap(other); }
  Matrix& operator=(Matrix other) noexcept {
    swap(other);
    return *this;
  }
  ~Matrix() { detail::free_matrix(data_); }

  [[nodiscard]] Index rows() const noexcept { return rows_; }
  [[nodiscard]] Index cols() const noexcept { return cols_; }
  [[nodiscard]] Index size() const noexcept { return rows_ * cols_; }
  [[nodiscard]] Value* data() noexcept { return data_; }
  [[nodiscard]] const Value* data() const noexcept { return data_; }

  [[nodiscard]] Value& operator()(Index i, Index j) noexcept { return data_[i * cols_ + j]; }
  [[nodiscard]] Value operator()(Index i, Index j) const noexcept { return data_[i * cols_ + j]; }

  [[nodiscard]] std::span<Value> row(Index i) noexcept {
    return {data_ + i * cols_, static_cast<std::size_t>(cols_)};
  }
  [[nodiscard]] std::span<const Value> row(Index i) const noexcept {
    return {data_ + i * cols_, static_cast<std::size_t>(cols_)};
  }

  /// All values, row by row.
  [[nodiscard]] std::span<Value> values() noexcept {
    return {data_, static_cast<std::size_t>(size())};
  }
  [[nodiscard]] std::span<const Value> values() const noexcept {
    return {data_, static_cast<std::size_t>(size())};
  }

  /// Sum of all values.
  [[nodiscard]] double sum() const noexcept {
    double total = 0;
    for (const Value value : values()) total += static_cast<double>(value);
    return total;
  }

  /// Changes the shape and sets all values to zero.
  void resize(Index rows, Index cols) {
    auto* fresh = static_cast<Value*>(detail::allocate_matrix(rows, cols, sizeof(Value)));
    detail::free_matrix(std::exchange(data_, fresh));
    rows_ = rows;
    cols_ = cols;
  }

  void swap(Matrix& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(rows_, other.rows_);
    std::swap(cols_, other.cols_);
  }

 private:
  Value* data_ = nullptr;
  Index rows_ = 0;
  Index cols_ = 0;
};

}  // namespace secondlook
