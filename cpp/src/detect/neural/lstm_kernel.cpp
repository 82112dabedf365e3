#include "detect/neural/lstm_kernel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "detect/neural/lstm_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "detect/neural/matrix_tile-inl.hpp"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace secondlook::detect::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  const auto one = hn::Set(d, 1);
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(x))));
}

// Uses the same exponential. The absolute error is a few units in the last place of 1, which is
// enough here.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh_of(D d, V x) {
  return hn::Sub(hn::Mul(hn::Set(d, 2), sigmoid(d, hn::Add(x, x))), hn::Set(d, 1));
}

template <class T>
HWY_INLINE void forward(const LstmCells<T>& cells, T* hidden, std::size_t hidden_step) {
  const hn::ScalableTag<T> d;
  const std::size_t n = cells.n_cells;
  for (std::size_t r = 0; r < cells.n_rows; ++r) {
    T* gates = cells.gates + r * 4 * n;
    for (std::size_t j = 0; j < n; j += hn::Lanes(d)) {
      const auto input = sigmoid(d, hn::LoadU(d, gates + j));
      const auto forget = sigmoid(d, hn::LoadU(d, gates + n + j));
      const auto candidate = tanh_of(d, hn::LoadU(d, gates + 2 * n + j));
      const auto output = sigmoid(d, hn::LoadU(d, gates + 3 * n + j));
      const auto cell =
          hn::MulAdd(forget, hn::LoadU(d, cells.previous + r * n + j), hn::Mul(input, candidate));
      const auto squashed = tanh_of(d, cell);
      hn::StoreU(input, d, gates + j);
      hn::StoreU(forget, d, gates + n + j);
      hn::StoreU(candidate, d, gates + 2 * n + j);
      hn::StoreU(output, d, gates + 3 * n + j);
      hn::StoreU(cell, d, cells.cells + r * n + j);
      hn::StoreU(squashed, d, cells.squashed + r * n + j);
      hn::StoreU(hn::Mul(output, squashed), d, hidden + r * hidden_step + j);
    }
  }
}

template <class T>
HWY_INLINE void backward(const LstmCells<T>& cells, const T* hidden_gradient, T* cell_gradient) {
  const hn::ScalableTag<T> d;
  const auto one = hn::Set(d, T{1});
  const std::size_t n = cells.n_cells;
  for (std::size_t r = 0; r < cells.n_rows; ++r) {
    T* gates = cells.gates + r * 4 * n;
    for (std::size_t j = 0; j < n; j += hn::Lanes(d)) {
      const std::size_t index = r * n + j;
      const auto input = hn::LoadU(d, gates + j);
      const auto forget = hn::LoadU(d, gates + n + j);
      const auto candidate = hn::LoadU(d, gates + 2 * n + j);
      const auto output = hn::LoadU(d, gates + 3 * n + j);
      const auto squashed = hn::LoadU(d, cells.squashed + index);
      const auto by_hidden = hn::LoadU(d, hidden_gradient + index);
      const auto by_cell =
          hn::MulAdd(hn::Mul(by_hidden, output), hn::NegMulAdd(squashed, squashed, one),
                     hn::LoadU(d, cell_gradient + index));
      const auto slope = [&](auto gate) { return hn::Mul(gate, hn::Sub(one, gate)); };
      hn::StoreU(hn::Mul(hn::Mul(by_cell, candidate), slope(input)), d, gates + j);
      hn::StoreU(hn::Mul(hn::Mul(by_cell, hn::LoadU(d, cells.previous + index)), slope(forget)), d,
                 gates + n + j);
      hn::StoreU(hn::Mul(hn::Mul(by_cell, input), hn::NegMulAdd(candidate, candidate, one)), d,
                 gates + 2 * n + j);
      hn::StoreU(hn::Mul(hn::Mul(by_hidden, squashed), slope(output)), d, gates + 3 * n + j);
      hn::StoreU(hn::Mul(by_cell, forget), d, cell_gradient + index);
    }
  }
}

void ForwardFloat(const LstmCells<float>& cells, float* hidden, std::size_t hidden_step) {
  forward(cells, hidden, hidden_step);
}
void ForwardDouble(const LstmCells<double>& cells, double* hidden, std::size_t hidden_step) {
  forward(cells, hidden, hidden_step);
}
void BackwardFloat(const LstmCells<float>& cells, const float* hidden_gradient,
                   float* cell_gradient) {
  backward(cells, hidden_gradient, cell_gradient);
}
void BackwardDouble(const LstmCells<double>& cells, const double* hidden_gradient,
                    double* cell_gradient) {
  backward(cells, hidden_gradient, cell_gradient);
}

// The weights are read once: 73 kB at 8 inputs and 64 cells, more than the first-level cache holds,
// so the bandwidth of the second-level cache is the limit.
void Step(const LstmView& network, const float* inputs, float* state, float* gates,
          float* outputs) {
  const hn::ScalableTag<float> d;
  const float* hidden = inputs;
  for (std::size_t l = 0; l < network.n_layers; ++l) {
    const LstmLayerView& layer = network.layers[l];
    const std::size_t width = 4 * layer.n_cells;
    const float* bias = layer.weights + layer.n_inputs * width;
    for (std::size_t j = 0; j < width; j += hn::Lanes(d))
      hn::StoreU(hn::LoadU(d, bias + j), d, gates + j);
    multiply_tiled<float>(1, width, layer.n_inputs, {hidden, 0, 1}, {layer.weights, width, 1},
                          gates, width, true);
    multiply_tiled<float>(1, width, layer.n_hidden, {state, 0, 1}, {bias + width, width, 1}, gates,
                          width, true);
    float* cells = state + layer.n_cells;
    // The candidates in `gates` are no longer needed once they are read: the squashed cells
    // overwrite them.
    forward(LstmCells<float>{1, layer.n_cells, gates, cells, cells, gates + 2 * layer.n_cells},
            state, layer.n_cells);
    hidden = state;
    state += 2 * layer.n_cells;
  }
  const std::size_t n_hidden = network.layers[network.n_layers - 1].n_hidden;
  for (std::size_t j = 0; j < network.n_outputs; j += hn::Lanes(d))
    hn::StoreU(hn::LoadU(d, network.head_bias + j), d, outputs + j);
  multiply_tiled<float>(1, network.n_outputs, n_hidden, {hidden, 0, 1},
                        {network.head, network.n_outputs, 1}, outputs, network.n_outputs, true);
}

}  // namespace secondlook::detect::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace secondlook::detect {

HWY_EXPORT(ForwardFloat);
HWY_EXPORT(ForwardDouble);
HWY_EXPORT(BackwardFloat);
HWY_EXPORT(BackwardDouble);
HWY_EXPORT(Step);

void lstm_forward(const LstmCells<float>& cells, float* hidden, std::size_t hidden_step) {
  HWY_DYNAMIC_DISPATCH(ForwardFloat)(cells, hidden, hidden_step);
}
void lstm_forward(const LstmCells<double>& cells, double* hidden, std::size_t hidden_step) {
  HWY_DYNAMIC_DISPATCH(ForwardDouble)(cells, hidden, hidden_step);
}

void lstm_backward(const LstmCells<float>& cells, const float* hidden_gradient,
                   float* cell_gradient) {
  HWY_DYNAMIC_DISPATCH(BackwardFloat)(cells, hidden_gradient, cell_gradient);
}
void lstm_backward(const LstmCells<double>& cells, const double* hidden_gradient,
                   double* cell_gradient) {
  HWY_DYNAMIC_DISPATCH(BackwardDouble)(cells, hidden_gradient, cell_gradient);
}

void lstm_step(const LstmView& network, const float* inputs, float* state, float* gates,
               float* outputs) {
  HWY_DYNAMIC_DISPATCH(Step)(network, inputs, state, gates, outputs);
}

}  // namespace secondlook::detect
#endif
