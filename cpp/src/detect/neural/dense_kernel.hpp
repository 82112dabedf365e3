#pragma once

#include <cstddef>

namespace secondlook::detect {

/// Added to variances so that no standard deviation is zero; the value of torch.nn.BatchNorm1d.
inline constexpr double kVarianceFloor = 1e-5;

/// Values of a batch in a hidden layer of the dense network. Matrices are n_rows × n_cols with
/// contiguous rows; n_cols is a multiple of kPadding.
template <class T>
struct NormalisedLayer {
  std::size_t n_rows;
  std::size_t n_cols;
  const T* gain;   ///< (n_cols)
  const T* shift;  ///< (n_cols)
  T* mean;         ///< (n_cols), of the batch
  T* variance;     ///< (n_cols), of the batch, divided by n_rows
  T* normalised;   ///< n_rows × n_cols; on input the layer's linear outputs
  T* slopes;       ///< n_rows × n_cols: factors that the activation applied; on input the
                   ///< dropout factors
};

/// Batch normalisation (Ioffe & Szegedy 2015), leaky ReLU and dropout: fills `layer` and `outputs`.
void normalise_and_activate(const NormalisedLayer<float>& layer, float leak, float* outputs);
void normalise_and_activate(const NormalisedLayer<double>& layer, double leak, double* outputs);

/// Backward pass: replaces the gradient with respect to the outputs by the gradient with respect to
/// the linear outputs, and adds to the gradients with respect to gain and shift.
void normalise_and_activate_backward(const NormalisedLayer<float>& layer, float* gradient,
                                     float* gain_gradient, float* shift_gradient);
void normalise_and_activate_backward(const NormalisedLayer<double>& layer, double* gradient,
                                     double* gain_gradient, double* shift_gradient);

/// Sum of squares of outputs − targets over n values; replaces the outputs by the gradient, factor
/// · (outputs − targets).
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

/// Passes n_rows rows through the layers; rows of inputs are `input_step` apart. `first` and
/// `second` are buffers of n_rows × the widest layer; returns the one that holds the result.
float* run_layers(const FoldedLayer* layers, std::size_t n_layers, std::size_t n_rows,
                  const float* inputs, std::size_t input_step, float* first, float* second);

/// Scales n_rows rows of n values, `x_step` apart, to (x − mean) · inverse, clipped to ± limit.
/// Writes rows of `width` ≥ n values, padded with zeros.
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

/// Computes scores[i] = −Σ weights · (outputs − inputs)² for each of n_rows rows of `width` values;
/// `width` is a multiple of kPadding.
void score_rows(std::size_t n_rows, std::size_t width, const float* weights, const float* inputs,
                const float* outputs, double* scores);

}  // namespace secondlook::detect
