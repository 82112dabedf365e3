// Products of small matrices in registers, for the kernels that are compiled once per target.
#if defined(SECONDLOOK_MATRIX_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SECONDLOOK_MATRIX_TILE_INL
#undef SECONDLOOK_MATRIX_TILE_INL
#else
#define SECONDLOOK_MATRIX_TILE_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "detect/neural/matrix_kernel.hpp"

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// sums[r][v] += a(r, ·) · b(·, v): kRows rows of a by kVectors vectors of b's columns. Two
// multiply-adds per cycle need eight sums in flight; with 4 × 2, the loads (6 for 8 multiply-adds)
// are not the limit.
template <std::size_t kRows, std::size_t kVectors, class D, class T = hn::TFromD<D>>
HWY_INLINE void accumulate_tile(D d, std::size_t depth, const T* a, std::size_t a_row,
                                std::size_t a_col, const T* b, std::size_t b_step,
                                hn::Vec<D> (&sums)[kRows][kVectors]) {
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t k = 0; k < depth; ++k, a += a_col, b += b_step) {
    hn::Vec<D> columns[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * lanes);
    for (std::size_t r = 0; r < kRows; ++r) {
      const auto value = hn::Set(d, a[r * a_row]);
      for (std::size_t v = 0; v < kVectors; ++v)
        sums[r][v] = hn::MulAdd(value, columns[v], sums[r][v]);
    }
  }
}

// Largest depth of a packed panel that leaves space for other data in the first-level cache.
constexpr std::size_t kDepthBlock = 256;

// Computes kRows rows of c over n_cols columns, kVectors vectors at a time, from column j on.
template <std::size_t kRows, std::size_t kVectors, class T>
HWY_INLINE std::size_t multiply_columns(std::size_t j, std::size_t n_cols, std::size_t depth,
                                        Strided<T> a, const T* b, std::size_t b_step, T* c,
                                        std::size_t c_step, bool accumulate) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  for (; j + kVectors * lanes <= n_cols; j += kVectors * lanes) {
    hn::Vec<decltype(d)> sums[kRows][kVectors];
    for (std::size_t r = 0; r < kRows; ++r)
      for (std::size_t v = 0; v < kVectors; ++v)
        sums[r][v] = accumulate ? hn::LoadU(d, c + r * c_step + j + v * lanes) : hn::Zero(d);
    accumulate_tile(d, depth, a.data, a.row_step, a.col_step, b + j, b_step, sums);
    for (std::size_t r = 0; r < kRows; ++r)
      for (std::size_t v = 0; v < kVectors; ++v)
        hn::StoreU(sums[r][v], d, c + r * c_step + j + v * lanes);
  }
  return j;
}

// Computes kPadding columns of c: four rows at a time, then the remaining ones.
template <class T>
HWY_INLINE void multiply_panel(std::size_t n_rows, std::size_t depth, Strided<T> a, const T* b,
                               std::size_t b_step, T* c, std::size_t c_step, bool accumulate) {
  std::size_t i = 0;
  const auto take_rows = [&]<std::size_t kRows>() {
    for (; i + kRows <= n_rows; i += kRows) {
      const Strided<T> rows{a.data + i * a.row_step, a.row_step, a.col_step};
      T* to = c + i * c_step;
      const std::size_t done =
          multiply_columns<kRows, 2>(0, kPadding, depth, rows, b, b_step, to, c_step, accumulate);
      multiply_columns<kRows, 1>(done, kPadding, depth, rows, b, b_step, to, c_step, accumulate);
    }
  };
  take_rows.template operator()<4>();
  take_rows.template operator()<2>();
  take_rows.template operator()<1>();
}

// c (+)= a · b. Every element of c sums over the depth in order, so a row gets the same bits
// whether it is multiplied alone or among others.
template <class T>
HWY_INLINE void multiply_tiled(std::size_t n_rows, std::size_t n_cols, std::size_t depth,
                               Strided<T> a, Strided<T> b, T* c, std::size_t c_step,
                               bool accumulate) {
  HWY_ALIGN T panel[kDepthBlock * kPadding];
  for (std::size_t first = 0; first < depth; first += kDepthBlock, accumulate = true) {
    const std::size_t n = std::min(kDepthBlock, depth - first);
    const T* rows = a.data + first * a.col_step;
    const T* columns = b.data + first * b.row_step;
    if (n_rows == 1 && b.col_step == 1) {
      // A single row cannot share b with others: as many sums as fit into registers hide the
      // latency.
      const Strided<T> row{rows, 0, a.col_step};
      std::size_t j = 0;
      j = multiply_columns<1, 8>(j, n_cols, n, row, columns, b.row_step, c, c_step, accumulate);
      j = multiply_columns<1, 4>(j, n_cols, n, row, columns, b.row_step, c, c_step, accumulate);
      j = multiply_columns<1, 2>(j, n_cols, n, row, columns, b.row_step, c, c_step, accumulate);
      multiply_columns<1, 1>(j, n_cols, n, row, columns, b.row_step, c, c_step, accumulate);
      continue;
    }
    for (std::size_t j = 0; j < n_cols; j += kPadding) {
      const Strided<T> part{columns + j * b.col_step, b.row_step, b.col_step};
      // Rows of b a power of two apart would compete for cache lines; packing pays from 8 rows on.
      if (b.col_step == 1 && (n_rows < 8 || b.row_step == kPadding)) {
        multiply_panel(n_rows, n, {rows, a.row_step, a.col_step}, part.data, part.row_step, c + j,
                       c_step, accumulate);
        continue;
      }
      pack_panels(n, kPadding, part, panel);
      multiply_panel(n_rows, n, {rows, a.row_step, a.col_step}, panel, kPadding, c + j, c_step,
                     accumulate);
    }
  }
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
