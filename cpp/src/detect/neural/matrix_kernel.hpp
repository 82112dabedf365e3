#pragma once

#include <cstddef>

namespace secondlook::detect {

/// Rows of network values are padded with zeros to a multiple of this number, the size of the
/// widest vector, so that kernels need no code for remainders.
inline constexpr std::size_t kPadding = 16;

[[nodiscard]] constexpr std::size_t padded(std::size_t n) {
  return (n + kPadding - 1) / kPadding * kPadding;
}

/// Element (i, j) is data[i * row_step + j * col_step]; to transpose a matrix, swap the steps.
template <class T>
struct Strided {
  const T* data;
  std::size_t row_step;
  std::size_t col_step = 1;
};

/// Computes c = a · b, or c += a · b: c is n_rows × n_cols, a is n_rows × depth, b is depth ×
/// n_cols.
///
/// Rows of c are contiguous, `c_step` apart; `n_cols` is a multiple of kPadding, depth at least 1.
void multiply(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<float> a,
              Strided<float> b, float* c, std::size_t c_step, bool accumulate);
void multiply(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<double> a,
              Strided<double> b, double* c, std::size_t c_step, bool accumulate);

/// Copies b, depth × n_cols, into consecutive panels of kPadding columns, each depth × kPadding. A
/// matrix that is used in many products is packed once.
template <class T>
void pack_panels(std::size_t depth, std::size_t n_cols, Strided<T> b, T* panels);

/// Like `multiply`, with b packed by `pack_panels`.
void multiply_packed(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<float> a,
                     const float* panels, float* c, std::size_t c_step, bool accumulate);
void multiply_packed(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<double> a,
                     const double* panels, double* c, std::size_t c_step, bool accumulate);

}  // namespace secondlook::detect
