#include "detect/neural/dense_kernel.hpp"

#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/neural/dense_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "detect/neural/matrix_tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Reciprocal of the standard deviation.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V inverse_deviation(D d, V variance) {
  const auto floor = hn::Set(d, static_cast<hn::TFromD<D>>(kVarianceFloor));
  return hn::Div(hn::Set(d, 1), hn::Sqrt(hn::Add(variance, floor)));
}

template <class T>
HWY_INLINE void forward(const NormalisedLayer<T>& layer, T leak, T* outputs) {
  const hn::ScalableTag<T> d;
  const auto one = hn::Set(d, T{1});
  const auto fraction = hn::Set(d, T{1} / static_cast<T>(layer.n_rows));
  const auto slope = hn::Set(d, leak);
  for (std::size_t j = 0; j < layer.n_cols; j += hn::Lanes(d)) {
    auto mean = hn::Zero(d);
    for (std::size_t i = 0; i < layer.n_rows; ++i)
      mean = hn::Add(mean, hn::LoadU(d, layer.normalised + i * layer.n_cols + j));
    mean = hn::Mul(mean, fraction);
    auto variance = hn::Zero(d);
    for (std::size_t i = 0; i < layer.n_rows; ++i) {
      const auto x = hn::Sub(hn::LoadU(d, layer.normalised + i * layer.n_cols + j), mean);
      variance = hn::MulAdd(x, x, variance);
    }
    variance = hn::Mul(variance, fraction);
    const auto inverse = inverse_deviation(d, variance);
    hn::StoreU(mean, d, layer.mean + j);
    hn::StoreU(variance, d, layer.variance + j);
    const auto gain = hn::LoadU(d, layer.gain + j);
    const auto shift = hn::LoadU(d, layer.shift + j);
    for (std::size_t i = 0; i < layer.n_rows; ++i) {
      const std::size_t index = i * layer.n_cols + j;
      const auto x = hn::Mul(hn::Sub(hn::LoadU(d, layer.normalised + index), mean), inverse);
      const auto before = hn::MulAdd(gain, x, shift);
      const auto factor = hn::Mul(hn::IfThenElse(hn::Gt(before, hn::Zero(d)), one, slope),
                                  hn::LoadU(d, layer.slopes + index));
      hn::StoreU(x, d, layer.normalised + index);
      hn::StoreU(factor, d, layer.slopes + index);
      hn::StoreU(hn::Mul(before, factor), d, outputs + index);
    }
  }
}

template <class T>
HWY_INLINE void backward(const NormalisedLayer<T>& layer, T* gradient, T* gain_gradient,
                         T* shift_gradient) {
  const hn::ScalableTag<T> d;
  const auto fraction = hn::Set(d, T{1} / static_cast<T>(layer.n_rows));
  for (std::size_t j = 0; j < layer.n_cols; j += hn::Lanes(d)) {
    auto by_shift = hn::Zero(d);
    auto by_gain = hn::Zero(d);
    for (std::size_t i = 0; i < layer.n_rows; ++i) {
      const std::size_t index = i * layer.n_cols + j;
      const auto g = hn::Mul(hn::LoadU(d, gradient + index), hn::LoadU(d, layer.slopes + index));
      hn::StoreU(g, d, gradient + index);
      by_shift = hn::Add(by_shift, g);
      by_gain = hn::MulAdd(g, hn::LoadU(d, layer.normalised + index), by_gain);
    }
    hn::StoreU(hn::Add(by_shift, hn::LoadU(d, shift_gradient + j)), d, shift_gradient + j);
    hn::StoreU(hn::Add(by_gain, hn::LoadU(d, gain_gradient + j)), d, gain_gradient + j);
    const auto factor = hn::Mul(hn::LoadU(d, layer.gain + j),
                                inverse_deviation(d, hn::LoadU(d, layer.variance + j)));
    const auto mean = hn::Mul(by_shift, fraction);
    const auto slope = hn::Mul(by_gain, fraction);
    for (std::size_t i = 0; i < layer.n_rows; ++i) {
      const std::size_t index = i * layer.n_cols + j;
      const auto centred = hn::Sub(hn::LoadU(d, gradient + index), mean);
      const auto x = hn::LoadU(d, layer.normalised + index);
      hn::StoreU(hn::Mul(factor, hn::NegMulAdd(x, slope, centred)), d, gradient + index);
    }
  }
}

template <class T>
HWY_INLINE double error(std::size_t n, const T* targets, T factor, T* outputs) {
  const hn::ScalableTag<T> d;
  const auto scale = hn::Set(d, factor);
  auto sum = hn::Zero(d);
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto difference = hn::Sub(hn::LoadU(d, outputs + i), hn::LoadU(d, targets + i));
    sum = hn::MulAdd(difference, difference, sum);
    hn::StoreU(hn::Mul(scale, difference), d, outputs + i);
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
}

void ForwardFloat(const NormalisedLayer<float>& layer, float leak, float* outputs) {
  forward(layer, leak, outputs);
}
void ForwardDouble(const NormalisedLayer<double>& layer, double leak, double* outputs) {
  forward(layer, leak, outputs);
}
void BackwardFloat(const NormalisedLayer<float>& layer, float* gradient, float* gain_gradient,
                   float* shift_gradient) {
  backward(layer, gradient, gain_gradient, shift_gradient);
}
void BackwardDouble(const NormalisedLayer<double>& layer, double* gradient, double* gain_gradient,
                    double* shift_gradient) {
  backward(layer, gradient, gain_gradient, shift_gradient);
}
double ErrorFloat(std::size_t n, const float* targets, float factor, float* outputs) {
  return error(n, targets, factor, outputs);
}
double ErrorDouble(std::size_t n, const double* targets, double factor, double* outputs) {
  return error(n, targets, factor, outputs);
}

float* RunLayers(const FoldedLayer* layers, std::size_t n_layers, std::size_t n_rows,
                 const float* inputs, std::size_t input_step, float* first, float* second) {
  const hn::ScalableTag<float> d;
  for (std::size_t l = 0; l < n_layers; ++l) {
    const FoldedLayer& layer = layers[l];
    for (std::size_t i = 0; i < n_rows; ++i)
      for (std::size_t j = 0; j < layer.n_outputs; j += hn::Lanes(d))
        hn::StoreU(hn::LoadU(d, layer.bias + j), d, first + i * layer.n_outputs + j);
    multiply_tiled<float>(n_rows, layer.n_outputs, layer.n_inputs, {inputs, input_step, 1},
                          {layer.weights, layer.n_outputs, 1}, first, layer.n_outputs, true);
    if (layer.leak != 1.0F) {
      const auto leak = hn::Set(d, layer.leak);
      for (std::size_t i = 0; i < n_rows * layer.n_outputs; i += hn::Lanes(d)) {
        const auto x = hn::LoadU(d, first + i);
        hn::StoreU(hn::Max(x, hn::Mul(x, leak)), d, first + i);
      }
    }
    inputs = first;
    input_step = layer.n_outputs;
    std::swap(first, second);
  }
  return second;
}

// Vectors of doubles, and vectors of the same number of floats.
using Doubles = hn::ScalableTag<double>;
using Floats = hn::Rebind<float, Doubles>;

HWY_INLINE hn::Vec<Doubles> load_part(std::size_t n, const double* x) {
  const Doubles d;
  return hn::MaskedLoad(hn::FirstN(d, n), d, x);
}
HWY_INLINE hn::Vec<Doubles> load_part(std::size_t n, const float* x) {
  const Floats d;
  return hn::PromoteTo(Doubles(), hn::MaskedLoad(hn::FirstN(d, n), d, x));
}
HWY_INLINE hn::Vec<Doubles> load_whole(const double* x) { return hn::LoadU(Doubles(), x); }
HWY_INLINE hn::Vec<Doubles> load_whole(const float* x) {
  return hn::PromoteTo(Doubles(), hn::LoadU(Floats(), x));
}

// In double precision: with a large mean, the difference would lose its digits in single precision.
template <class Scalar>
HWY_INLINE void scale_any(const Scaling& scaling, std::size_t n_rows, const Scalar* x,
                          std::size_t x_step, float* scaled, std::size_t width) {
  const Doubles d;
  const Floats f;
  const std::size_t lanes = hn::Lanes(d);
  const auto low = hn::Set(f, -scaling.limit);
  const auto high = hn::Set(f, scaling.limit);
  for (std::size_t i = 0; i < n_rows; ++i) {
    const Scalar* row = x + i * x_step;
    float* to = scaled + i * width;
    std::size_t j = 0;
    const auto scale = [&](auto value, auto mean, auto inverse) {
      const auto z = hn::DemoteTo(f, hn::Mul(hn::Sub(value, mean), inverse));
      hn::StoreU(hn::Min(hn::Max(z, low), high), f, to + j);
    };
    for (; j + lanes <= scaling.n; j += lanes)
      scale(load_whole(row + j), hn::LoadU(d, scaling.mean + j), hn::LoadU(d, scaling.inverse + j));
    if (j < scaling.n) {
      const std::size_t n = scaling.n - j;
      scale(load_part(n, row + j), load_part(n, scaling.mean + j),
            load_part(n, scaling.inverse + j));
      j += lanes;
    }
    for (; j < width; j += lanes) hn::StoreU(hn::Zero(f), f, to + j);
  }
}

void ScaleFloat(const Scaling& scaling, std::size_t n_rows, const float* x, std::size_t x_step,
                float* scaled, std::size_t width) {
  scale_any(scaling, n_rows, x, x_step, scaled, width);
}
void ScaleDouble(const Scaling& scaling, std::size_t n_rows, const double* x, std::size_t x_step,
                 float* scaled, std::size_t width) {
  scale_any(scaling, n_rows, x, x_step, scaled, width);
}

void ScoreRows(std::size_t n_rows, std::size_t width, const float* weights, const float* inputs,
               const float* outputs, double* scores) {
  const hn::ScalableTag<float> d;
  for (std::size_t i = 0; i < n_rows; ++i, inputs += width, outputs += width) {
    auto sum = hn::Zero(d);
    for (std::size_t j = 0; j < width; j += hn::Lanes(d)) {
      const auto error = hn::Sub(hn::LoadU(d, outputs + j), hn::LoadU(d, inputs + j));
      sum = hn::MulAdd(hn::Mul(error, error), hn::LoadU(d, weights + j), sum);
    }
    scores[i] = -static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace secondlook::detect {

HWY_EXPORT(ForwardFloat);
HWY_EXPORT(ForwardDouble);
HWY_EXPORT(BackwardFloat);
HWY_EXPORT(BackwardDouble);
HWY_EXPORT(ErrorFloat);
HWY_EXPORT(ErrorDouble);
HWY_EXPORT(RunLayers);
HWY_EXPORT(ScaleFloat);
HWY_EXPORT(ScaleDouble);
HWY_EXPORT(ScoreRows);

void normalise_and_activate(const NormalisedLayer<float>& layer, float leak, float* outputs) {
  HWY_DYNAMIC_DISPATCH(ForwardFloat)(layer, leak, outputs);
}
void normalise_and_activate(const NormalisedLayer<double>& layer, double leak, double* outputs) {
  HWY_DYNAMIC_DISPATCH(ForwardDouble)(layer, leak, outputs);
}

void normalise_and_activate_backward(const NormalisedLayer<float>& layer, float* gradient,
                                     float* gain_gradient, float* shift_gradient) {
  HWY_DYNAMIC_DISPATCH(BackwardFloat)(layer, gradient, gain_gradient, shift_gradient);
}
void normalise_and_activate_backward(const NormalisedLayer<double>& layer, double* gradient,
                                     double* gain_gradient, double* shift_gradient) {
  HWY_DYNAMIC_DISPATCH(BackwardDouble)(layer, gradient, gain_gradient, shift_gradient);
}

double squared_error(std::size_t n, const float* targets, float factor, float* outputs) {
  return HWY_DYNAMIC_DISPATCH(ErrorFloat)(n, targets, factor, outputs);
}
double squared_error(std::size_t n, const double* targets, double factor, double* outputs) {
  return HWY_DYNAMIC_DISPATCH(ErrorDouble)(n, targets, factor, outputs);
}

float* run_layers(const FoldedLayer* layers, std::size_t n_layers, std::size_t n_rows,
                  const float* inputs, std::size_t input_step, float* first, float* second) {
  return HWY_DYNAMIC_DISPATCH(RunLayers)(layers, n_layers, n_rows, inputs, input_step, first,
                                         second);
}

void scale_rows(const Scaling& scaling, std::size_t n_rows, const float* x, std::size_t x_step,
                float* scaled, std::size_t width) {
  HWY_DYNAMIC_DISPATCH(ScaleFloat)(scaling, n_rows, x, x_step, scaled, width);
}
void scale_rows(const Scaling& scaling, std::size_t n_rows, const double* x, std::size_t x_step,
                float* scaled, std::size_t width) {
  HWY_DYNAMIC_DISPATCH(ScaleDouble)(scaling, n_rows, x, x_step, scaled, width);
}

void score_rows(std::size_t n_rows, std::size_t width, const float* weights, const float* inputs,
                const float* outputs, double* scores) {
  HWY_DYNAMIC_DISPATCH(ScoreRows)(n_rows, width, weights, inputs, outputs, scores);
}

}  // namespace secondlook::detect
#endif
