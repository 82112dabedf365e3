#pragma once

#include <cstddef>

namespace secondlook::detect {

/// Cells of a layer at one step, for n_rows series in parallel; n_cells is a multiple of kPadding.
/// Gates are n_rows × 4 n_cells: input, forget, candidate, output.
template <class T>
struct LstmCells {
  std::size_t n_rows;
  std::size_t n_cells;
  T* gates;           ///< on input their sums, on output their values
  const T* previous;  ///< n_rows × n_cells: cell values of the previous step
  T* cells;           ///< n_rows × n_cells
  T* squashed;        ///< n_rows × n_cells: tanh of the cells
};

/// Computes one step of the cells (Gers, Schmidhuber & Cummins 2000). Rows of `hidden` are
/// `hidden_step` apart.
void lstm_forward(const LstmCells<float>& cells, float* hidden, std::size_t hidden_step);
void lstm_forward(const LstmCells<double>& cells, double* hidden, std::size_t hidden_step);

/// Backward pass: replaces the gates by the gradient with respect to their sums. `hidden_gradient`
/// and `cell_gradient` (n_rows × n_cells) are the gradients with respect to the values of this
/// step; `cell_gradient` is replaced by that of the previous step.
void lstm_backward(const LstmCells<float>& cells, const float* hidden_gradient,
                   float* cell_gradient);
void lstm_backward(const LstmCells<double>& cells, const double* hidden_gradient,
                   double* cell_gradient);

/// Weights of a layer for scoring.
struct LstmLayerView {
  std::size_t n_inputs;  ///< rows of the weights before the bias row
  std::size_t n_hidden;  ///< rows of the weights after the bias row
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

/// Computes one step of the whole network for one series, from `inputs` to `outputs` (n_outputs),
/// and updates `state` (hidden and then cell values of each layer). `gates` is a buffer of 4 times
/// the largest number of cells.
void lstm_step(const LstmView& network, const float* inputs, float* state, float* gates,
               float* outputs);

}  // namespace secondlook::detect
