#pragma once

#include <cstddef>

namespace secondlook::detect {

/// Added to variances, which keeps deviations off zero: torch.nn.BatchNorm1d's value.
inline constexpr double kVarianceFloor = 1e-5;

/// A batch's values in a hidden layer of the dense network, one pointer a quantity; matrices are of
/// n_rows × n_cols, rows contiguous, and n_cols a multiple of kPadding.
template <class T>
struct NormalisedLayer {
  std::size_t n_rows;
  std::size_t n_cols;
  const T* gain;   ///< (n_cols)
  const T* shift;  ///< (n_cols)
  T* mean;         ///< (n_cols) of the batch
  T* variance;     ///< (n_cols) of the batch, over n_rows
  T* normalised;   ///< n_rows × n_cols; before: the layer's linear outputs
  T* slopes;       ///< n_rows × n_cols: what the activation multiplied by; before: the dropout
                   ///< factors
};

/// Batch normalisation (Ioffe & Szegedy 2015), leaky ReLU and dropout: fills `layer` and `outputs`.
void normalise_and_activate(const NormalisedLayer<float>& layer, float leak, float* outputs);
void normalise_and_activate(const NormalisedLayer<double>& layer, double leak, double* outputs);

/// The way back: from the gradient by the outputs, in place, to the gradient by the linear outputs;
/// adds to the gradients by gain and shift.
void normalise_and_activate_backward(const NormalisedLayer<float>& layer, float* gradient,
                                     float* gain_gradient, float* shift_gradient);
void normalise_and_activate_backward(const NormalisedLayer<double>& layer, double* gradient,
                                     double* gain_gradient, double* shift_gradient);

/// Sum of squares of outputs − targets over n values; outputs become the gradient factor ·
/// (outputs − targets).
double squared_error(std::size_t n, const float* targets, float factor, float* outputs);
double squared_error(std::size_t n, const double* targets, double factor, double* outputs);

/// One layer of the folded network: outputs = leaky ReLU(inputs · weights + bias).
struct FoldedLayer {
  std::size_t n_inputs;
  std::size_t n_outputs;  ///< a multiple of kPadding
  const float* weights;   ///< n_inputs × n_outputs
  const float* bias;      ///< (n_outputs)
  float leak;             ///< 1 for a linear layer
};

/// Takes n_rows rows through the layers; rows of inputs are `input_step` apart. The result is in
/// the first or second of two buffers of n_rows × the widest layer, and is returned.
float* run_layers(const FoldedLayer* layers, std::size_t n_layers, std::size_t n_rows,
                  const float* inputs, std::size_t input_step, float* first, float* second);

/// Scales n_rows rows of n values, `x_step` apart, to (x − mean) · inverse within ± limit, into
/// rows of `width` ≥ n, whose rest is zero.
struct Scaling {
  std::size_t n;
  const double* mean;
  const double* inverse;
  float limit;
};
void scale_rows(const Scaling& scaling, std::size_t n_rows, const float* x, std::size_t x_step,
                float* scaled, std::size_t width);
void scale_rows(const Scaling& scaling, std::size_t n_rows, const double* x, std::size_t x_step,
                float* scaled, std::size_t width);

/// scores[i] = −Σ weights · (outputs − inputs)² over each of n_rows rows of `width`, a multiple of
/// kPadding.
void score_rows(std::size_t n_rows, std::size_t width, const float* weights, const float* inputs,
                const float* outputs, double* scores);

}  // namespace secondlook::detect
