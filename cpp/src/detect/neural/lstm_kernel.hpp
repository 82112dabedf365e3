#pragma once

#include <cstddef>

namespace secondlook::detect {

/// A layer's cells at one step, for n_rows series side by side; n_cells is a multiple of kPadding.
/// Gates are n_rows × 4 n_cells: input, forget, candidate, output.
template <class T>
struct LstmCells {
  std::size_t n_rows;
  std::size_t n_cells;
  T* gates;           ///< before: their sums; after: their values
  const T* previous;  ///< n_rows × n_cells: cell values of the step before
  T* cells;           ///< n_rows × n_cells
  T* squashed;        ///< n_rows × n_cells: tanh of the cells
};

/// One step of the cells (Gers, Schmidhuber & Cummins 2000): their hidden values, rows
/// `hidden_step` apart.
void lstm_forward(const LstmCells<float>& cells, float* hidden, std::size_t hidden_step);
void lstm_forward(const LstmCells<double>& cells, double* hidden, std::size_t hidden_step);

/// The way back: gates become the gradient by their sums. `hidden_gradient` and `cell_gradient`
/// (n_rows × n_cells) are by this step's values; the latter becomes that by the step before.
void lstm_backward(const LstmCells<float>& cells, const float* hidden_gradient,
                   float* cell_gradient);
void lstm_backward(const LstmCells<double>& cells, const double* hidden_gradient,
                   double* cell_gradient);

/// A layer as it scores.
struct LstmLayerView {
  std::size_t n_inputs;  ///< rows of the weights before the bias's
  std::size_t n_hidden;  ///< rows of the weights after it
  std::size_t n_cells;   ///< n_hidden, padded
  const float* weights;  ///< (n_inputs + 1 + n_hidden) × 4 n_cells: inputs, bias, hidden
};

struct LstmView {
  const LstmLayerView* layers;
  std::size_t n_layers;
  const float* head;  ///< n_hidden × n_outputs
  const float* head_bias;
  std::size_t n_outputs;  ///< padded
};

/// One step of a whole network for one series: `inputs` in, `outputs` (n_outputs) out, `state`
/// (hidden and then cell values of each layer) moved on. `gates` is room for 4 of the most cells.
void lstm_step(const LstmView& network, const float* inputs, float* state, float* gates,
               float* outputs);

}  // namespace secondlook::detect
