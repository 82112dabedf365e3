#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "detect/neural/dense_kernel.hpp"
#include "detect/neural/matrix_kernel.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook::detect {

/// Fully connected network with batch normalisation, leaky ReLU and dropout after each layer except
/// the last, which is linear with a bias. Hidden layers need no bias, as normalisation would remove
/// it.
///
/// All parameters are in one array, so that an optimiser need not know the layers. Rows are padded
/// with zeros (kPadding); the padding stays zero in training, as its gradient is zero.
template <class T>
class DenseNetwork {
 public:
  /// Slope of the activation for negative values.
  static constexpr double kLeak = 0.01;
  /// Weight of a batch in the running statistics.
  static constexpr double kMomentum = 0.1;

  /// @param widths number of inputs, of units in each hidden layer, and of outputs
  explicit DenseNetwork(std::vector<std::size_t> widths);

  /// Draws weights uniformly within ±1/√inputs, as torch.nn.Linear does; gains are 1.
  void initialise(RandomStream& random);

  [[nodiscard]] const std::vector<std::size_t>& widths() const noexcept { return widths_; }
  [[nodiscard]] std::size_t n_hidden() const noexcept { return widths_.size() - 2; }
  [[nodiscard]] std::span<T> parameters() noexcept { return parameters_; }
  [[nodiscard]] std::span<const T> parameters() const noexcept { return parameters_; }

  /// Running mean, then running variance, of one hidden layer after another.
  [[nodiscard]] std::span<T> statistics() noexcept { return statistics_; }
  [[nodiscard]] std::span<const T> statistics() const noexcept { return statistics_; }

  /// Offsets of a layer's parameters. Weights are inputs × outputs, both padded; a hidden layer has
  /// gain and shift, the last layer has a bias.
  struct LayerLayout {
    std::size_t n_inputs, n_outputs;  // n_outputs is padded
    std::size_t weights, gain, shift, bias;
    std::size_t mean, variance;  // offsets in the statistics
  };
  [[nodiscard]] const std::vector<LayerLayout>& layout() const noexcept { return layout_; }

  /// Buffers of a training step, reused by the next step.
  struct Workspace {
    std::vector<std::vector<T>> normalised, slopes, outputs;  // one entry per layer
    std::vector<T> moments;
    std::vector<T> gradient, next_gradient;
    std::vector<T> gradients;  // with respect to the parameters
  };

  /// Fills the workspace's dropout factors: 0 with probability `dropout`, else 1 / (1 − dropout).
  void draw_dropout(std::size_t n_rows, double dropout, RandomStream& random,
                    Workspace& work) const;

  /// Returns the mean squared error of a batch against `targets`. Leaves the gradients in the
  /// workspace and updates the running statistics. Both matrices have padded rows.
  double train(std::size_t n_rows, const T* inputs, const T* targets, Workspace& work);

 private:
  std::vector<std::size_t> widths_;
  std::vector<LayerLayout> layout_;
  std::vector<T> parameters_;
  std::vector<T> statistics_;
};

/// The network for scoring: running statistics are folded into weights and biases, in float32.
class FoldedNetwork {
 public:
  template <class T>
  explicit FoldedNetwork(const DenseNetwork<T>& network);

  FoldedNetwork(const FoldedNetwork&) = delete;
  FoldedNetwork& operator=(const FoldedNetwork&) = delete;
  FoldedNetwork(FoldedNetwork&&) noexcept = default;
  FoldedNetwork& operator=(FoldedNetwork&&) noexcept = default;
  ~FoldedNetwork() = default;

  /// Number of values that each of the two buffers of `run` needs per row.
  [[nodiscard]] std::size_t buffer_width() const noexcept { return buffer_width_; }

  /// Returns the outputs for n_rows rows of padded inputs, as padded rows in one of the buffers.
  const float* run(std::size_t n_rows, const float* inputs, std::size_t input_step, float* first,
                   float* second) const {
    return run_layers(layers_.data(), layers_.size(), n_rows, inputs, input_step, first, second);
  }

 private:
  std::vector<float> values_;
  std::vector<FoldedLayer> layers_;
  std::size_t buffer_width_ = 0;
};

}  // namespace secondlook::detect
