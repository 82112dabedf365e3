#include "detect/neural/matrix_kernel.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/neural/matrix_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "detect/neural/matrix_tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {

void MultiplyFloat(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<float> a,
                   Strided<float> b, float* c, std::size_t c_step, bool accumulate) {
  multiply_tiled(n_rows, n_cols, depth, a, b, c, c_step, accumulate);
}

void MultiplyDouble(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<double> a,
                    Strided<double> b, double* c, std::size_t c_step, bool accumulate) {
  multiply_tiled(n_rows, n_cols, depth, a, b, c, c_step, accumulate);
}

template <class T>
HWY_INLINE void multiply_all_panels(std::size_t n_rows, std::size_t n_cols, std::size_t depth,
                                    Strided<T> a, const T* panels, T* c, std::size_t c_step,
                                    bool accumulate) {
  for (std::size_t j = 0; j < n_cols; j += kPadding)
    multiply_panel(n_rows, depth, a, panels + j * depth, kPadding, c + j, c_step, accumulate);
}

void MultiplyPackedFloat(std::size_t n_rows, std::size_t n_cols, std::size_t depth,
                         Strided<float> a, const float* panels, float* c, std::size_t c_step,
                         bool accumulate) {
  multiply_all_panels(n_rows, n_cols, depth, a, panels, c, c_step, accumulate);
}

void MultiplyPackedDouble(std::size_t n_rows, std::size_t n_cols, std::size_t depth,
                          Strided<double> a, const double* panels, double* c, std::size_t c_step,
                          bool accumulate) {
  multiply_all_panels(n_rows, n_cols, depth, a, panels, c, c_step, accumulate);
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace secondlook::detect {

HWY_EXPORT(MultiplyFloat);
HWY_EXPORT(MultiplyDouble);
HWY_EXPORT(MultiplyPackedFloat);
HWY_EXPORT(MultiplyPackedDouble);

void multiply(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<float> a,
              Strided<float> b, float* c, std::size_t c_step, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(MultiplyFloat)(n_rows, n_cols, depth, a, b, c, c_step, accumulate);
}

void multiply(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<double> a,
              Strided<double> b, double* c, std::size_t c_step, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(MultiplyDouble)(n_rows, n_cols, depth, a, b, c, c_step, accumulate);
}

template <class T>
void pack_panels(std::size_t depth, std::size_t n_cols, Strided<T> b, T* panels) {
  for (std::size_t first = 0; first < n_cols; first += kPadding, panels += depth * kPadding) {
    const T* part = b.data + first * b.col_step;
    if (b.col_step == 1) {
      for (std::size_t k = 0; k < depth; ++k)
        std::copy_n(part + k * b.row_step, kPadding, panels + k * kPadding);
      continue;
    }
    for (std::size_t j = 0; j < kPadding; ++j)
      for (std::size_t k = 0; k < depth; ++k)
        panels[k * kPadding + j] = part[k * b.row_step + j * b.col_step];
  }
}

template void pack_panels(std::size_t, std::size_t, Strided<float>, float*);
template void pack_panels(std::size_t, std::size_t, Strided<double>, double*);

void multiply_packed(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<float> a,
                     const float* panels, float* c, std::size_t c_step, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(MultiplyPackedFloat)
  (n_rows, n_cols, depth, a, panels, c, c_step, accumulate);
}

void multiply_packed(std::size_t n_rows, std::size_t n_cols, std::size_t depth, Strided<double> a,
                     const double* panels, double* c, std::size_t c_step, bool accumulate) {
  HWY_DYNAMIC_DISPATCH(MultiplyPackedDouble)
  (n_rows, n_cols, depth, a, panels, c, c_step, accumulate);
}

}  // namespace secondlook::detect
#endif
