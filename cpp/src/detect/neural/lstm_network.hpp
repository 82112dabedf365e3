#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "detect/neural/lstm_kernel.hpp"
#include "detect/neural/matrix_kernel.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook::detect {

struct LstmShape {
  std::size_t n_inputs;
  std::size_t n_hidden;
  std::size_t n_layers;
  std::size_t n_outputs;

  bool operator==(const LstmShape&) const = default;
};

/// LSTM layers (Hochreiter & Schmidhuber 1997, with forget gates) followed by a linear head.
///
/// All parameters are in one array. Cells and outputs are padded with zeros (kPadding); the padding
/// stays zero in training, as its gradient is zero.
template <class T>
class LstmNetwork {
 public:
  explicit LstmNetwork(LstmShape shape);

  /// Draws weights uniformly within ±1/√hidden, as torch.nn.LSTM does; forget gates start open
  /// (Jozefowicz et al. 2015).
  void initialise(RandomStream& random);

  [[nodiscard]] const LstmShape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::span<T> parameters() noexcept { return parameters_; }
  [[nodiscard]] std::span<const T> parameters() const noexcept { return parameters_; }

  /// Layout of a layer's weights: (n_inputs + 1 + n_cells) × 4 n_cells. The row between those of
  /// the inputs and those of the hidden values is the bias.
  struct LayerLayout {
    std::size_t n_inputs;  // padded if they come from the layer below
    std::size_t weights;   // offset in the parameters
  };
  [[nodiscard]] const std::vector<LayerLayout>& layout() const noexcept { return layout_; }
  [[nodiscard]] std::size_t n_cells() const noexcept { return padded(shape_.n_hidden); }
  /// Offset of the head: n_cells × padded outputs, followed by its bias.
  [[nodiscard]] std::size_t head() const noexcept { return head_; }
  [[nodiscard]] std::size_t head_bias() const noexcept {
    return head_ + n_cells() * padded(shape_.n_outputs);
  }

  /// The weights in panels, for the forward and the backward pass; shared by the parts of a batch.
  struct PackedWeights {
    std::vector<std::vector<T>> forward;          // one per layer, all rows
    std::vector<std::vector<T>> hidden_backward;  // transposed rows of hidden values
    std::vector<std::vector<T>>
        input_backward;  // transposed rows of inputs; none for the first layer
    std::vector<T> head_backward;
  };
  void pack(PackedWeights& packed) const;

  /// Steps of several series in parallel.
  struct Sequences {
    std::size_t n_rows;     ///< series
    std::size_t n_burn_in;  ///< steps that only warm up the state, from zero
    std::size_t n_steps;    ///< steps that are trained on
    const T* inputs;        ///< (n_burn_in + n_steps) × n_rows × n_inputs
    const T* targets;       ///< n_steps × n_rows × padded outputs; NaN: unknown
  };

  /// Buffers of a training step, reused by the next step.
  struct Workspace {
    struct Layer {
      std::vector<T> inputs;    // (n_steps + 1) × n_rows × input_step: inputs, 1, hidden
      std::vector<T> gates;     // n_steps × n_rows × 4 n_cells
      std::vector<T> cells;     // (n_steps + 1) × n_rows × n_cells
      std::vector<T> squashed;  // n_steps × n_rows × n_cells
      std::vector<T> dropout;   // factors of the inputs, n_steps × n_rows × n_inputs; empty: none
      std::vector<T> hidden_gradient, cell_gradient;  // n_rows × n_cells
    };
    std::vector<Layer> layers;
    std::vector<T> errors;     // n_steps × n_rows × padded outputs
    std::vector<T> below;      // gradient passed to the layer below
    std::vector<T> gradients;  // with respect to the parameters
  };

  /// Draws dropout factors for the inputs of all layers except the first.
  void draw_dropout(const Sequences& sequences, double dropout, RandomStream& random,
                    Workspace& work) const;

  /// Returns the sum of squared errors of the one-step forecasts. The errors stay in the workspace.
  double forward(const Sequences& sequences, const PackedWeights& packed, Workspace& work) const;

  /// Call after `forward`. Leaves the gradient of `scale` / 2 times that sum in the workspace,
  /// backpropagated through the steps that are trained on (Werbos 1990).
  void backward(const Sequences& sequences, T scale, const PackedWeights& packed,
                Workspace& work) const;

 private:
  void run_step(const Sequences& sequences, std::size_t slot, const T* inputs,
                const PackedWeights& packed, bool with_dropout, Workspace& work) const;
  [[nodiscard]] std::size_t input_step(std::size_t layer) const {
    return layout_[layer].n_inputs + 1 + n_cells();
  }

  LstmShape shape_;
  std::vector<LayerLayout> layout_;
  std::size_t head_ = 0;
  std::vector<T> parameters_;
};

}  // namespace secondlook::detect
