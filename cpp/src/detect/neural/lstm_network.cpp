#include "detect/neural/lstm_network.hpp"

#include <algorithm>
#include <cmath>

namespace secondlook::detect {

template <class T>
LstmNetwork<T>::LstmNetwork(LstmShape shape) : shape_(shape) {
  std::size_t end = 0;
  for (std::size_t l = 0; l < shape.n_layers; ++l) {
    const std::size_t n_inputs = l == 0 ? shape.n_inputs : n_cells();
    layout_.push_back({n_inputs, end});
    end += (n_inputs + 1 + n_cells()) * 4 * n_cells();
  }
  head_ = end;
  end += (n_cells() + 1) * padded(shape.n_outputs);
  parameters_.assign(end, T{0});
}

template <class T>
void LstmNetwork<T>::initialise(RandomStream& random) {
  std::ranges::fill(parameters_, T{0});
  const double bound = 1 / std::sqrt(static_cast<double>(shape_.n_hidden));
  const auto draw = [&] { return static_cast<T>((2 * random.uniform() - 1) * bound); };
  for (std::size_t l = 0; l < layout_.size(); ++l) {
    const LayerLayout& layout = layout_[l];
    const std::size_t n_used = l == 0 ? shape_.n_inputs : shape_.n_hidden;
    for (std::size_t row = 0; row < layout.n_inputs + 1 + shape_.n_hidden; ++row) {
      if (row >= n_used && row < layout.n_inputs) continue;
      for (std::size_t gate = 0; gate < 4; ++gate) {
        T* weights = &parameters_[layout.weights + (row * 4 + gate) * n_cells()];
        const bool opens = row == layout.n_inputs && gate == 1;
        for (std::size_t j = 0; j < shape_.n_hidden; ++j)
          weights[j] = draw() + static_cast<T>(opens ? 1 : 0);
      }
    }
  }
  const std::size_t width = padded(shape_.n_outputs);
  for (std::size_t row = 0; row < shape_.n_hidden; ++row)
    std::generate_n(&parameters_[head_ + row * width], shape_.n_outputs, draw);
  std::generate_n(&parameters_[head_bias()], shape_.n_outputs, draw);
}

template <class T>
void LstmNetwork<T>::pack(PackedWeights& packed) const {
  const std::size_t width = 4 * n_cells();
  packed.forward.resize(layout_.size());
  packed.hidden_backward.resize(layout_.size());
  packed.input_backward.resize(layout_.size());
  for (std::size_t l = 0; l < layout_.size(); ++l) {
    const LayerLayout& layout = layout_[l];
    const T* weights = &parameters_[layout.weights];
    const std::size_t depth = layout.n_inputs + 1 + shape_.n_hidden;
    packed.forward[l].resize(depth * width);
    pack_panels(depth, width, Strided<T>{weights, width, 1}, packed.forward[l].data());
    packed.hidden_backward[l].resize(width * n_cells());
    pack_panels(width, n_cells(), Strided<T>{weights + (layout.n_inputs + 1) * width, 1, width},
                packed.hidden_backward[l].data());
    if (l == 0) continue;
    packed.input_backward[l].resize(width * layout.n_inputs);
    pack_panels(width, layout.n_inputs, Strided<T>{weights, 1, width},
                packed.input_backward[l].data());
  }
  const std::size_t n_outputs = padded(shape_.n_outputs);
  packed.head_backward.resize(n_outputs * n_cells());
  pack_panels(n_outputs, n_cells(), Strided<T>{&parameters_[head_], 1, n_outputs},
              packed.head_backward.data());
}

template <class T>
void LstmNetwork<T>::draw_dropout(const Sequences& sequences, double dropout, RandomStream& random,
                                  Workspace& work) const {
  work.layers.resize(layout_.size());
  const auto keep = static_cast<T>(1 / (1 - dropout));
  for (std::size_t l = 1; l < layout_.size(); ++l) {
    auto& factors = work.layers[l].dropout;
    factors.resize(dropout > 0 ? sequences.n_steps * sequences.n_rows * n_cells() : 0);
    for (T& factor : factors) factor = random.uniform() < dropout ? T{0} : keep;
  }
}

// Computes one step of all layers, from slot `slot` of the workspace to the next.
template <class T>
void LstmNetwork<T>::run_step(const Sequences& sequences, std::size_t slot, const T* inputs,
                              const PackedWeights& packed, bool with_dropout,
                              Workspace& work) const {
  const std::size_t n_rows = sequences.n_rows;
  const std::size_t width = 4 * n_cells();
  for (std::size_t l = 0; l < layout_.size(); ++l) {
    auto& layer = work.layers[l];
    const std::size_t n_inputs = layout_[l].n_inputs;
    const std::size_t step = input_step(l);
    T* rows = &layer.inputs[slot * n_rows * step];
    for (std::size_t r = 0; r < n_rows; ++r) {
      T* row = rows + r * step;
      if (l == 0) {
        std::copy_n(inputs + r * n_inputs, n_inputs, row);
      } else {
        const std::size_t below = input_step(l - 1);
        const T* hidden = &work.layers[l - 1].inputs[((slot + 1) * n_rows + r) * below] +
                          layout_[l - 1].n_inputs + 1;
        std::copy_n(hidden, n_inputs, row);
        if (with_dropout && !layer.dropout.empty())
          for (std::size_t j = 0; j < n_inputs; ++j)
            row[j] *= layer.dropout[(slot * n_rows + r) * n_inputs + j];
      }
      row[n_inputs] = T{1};
    }
    T* gates = &layer.gates[slot * n_rows * width];
    multiply_packed(n_rows, width, n_inputs + 1 + shape_.n_hidden, {rows, step, 1},
                    packed.forward[l].data(), gates, width, false);
    lstm_forward(
        {n_rows, n_cells(), gates, &layer.cells[slot * n_rows * n_cells()],
         &layer.cells[(slot + 1) * n_rows * n_cells()], &layer.squashed[slot * n_rows * n_cells()]},
        rows + n_rows * step + n_inputs + 1, step);
  }
}

template <class T>
double LstmNetwork<T>::forward(const Sequences& sequences, const PackedWeights& packed,
                               Workspace& work) const {
  const std::size_t n_rows = sequences.n_rows;
  const std::size_t n_steps = sequences.n_steps;
  const std::size_t n_layers = layout_.size();
  const std::size_t n_outputs = padded(shape_.n_outputs);
  work.layers.resize(n_layers);
  for (std::size_t l = 0; l < n_layers; ++l) {
    auto& layer = work.layers[l];
    layer.inputs.resize((n_steps + 1) * n_rows * input_step(l));
    layer.gates.resize(n_steps * n_rows * 4 * n_cells());
    layer.cells.resize((n_steps + 1) * n_rows * n_cells());
    layer.squashed.resize(n_steps * n_rows * n_cells());
    std::fill_n(layer.inputs.begin(), n_rows * input_step(l), T{0});
    std::fill_n(layer.cells.begin(), n_rows * n_cells(), T{0});
  }

  const T* inputs = sequences.inputs;
  for (std::size_t t = 0; t < sequences.n_burn_in; ++t, inputs += n_rows * shape_.n_inputs) {
    run_step(sequences, 0, inputs, packed, false, work);
    for (std::size_t l = 0; l < n_layers; ++l) {  // the next step starts where this one ended
      auto& layer = work.layers[l];
      const std::size_t n_values = n_rows * input_step(l);
      std::copy_n(&layer.inputs[n_values], n_values, layer.inputs.data());
      std::copy_n(&layer.cells[n_rows * n_cells()], n_rows * n_cells(), layer.cells.data());
    }
  }
  for (std::size_t t = 0; t < n_steps; ++t, inputs += n_rows * shape_.n_inputs)
    run_step(sequences, t, inputs, packed, true, work);

  // All forecasts at once, from the hidden values of the last layer.
  const auto& last = work.layers.back();
  const std::size_t last_step = input_step(n_layers - 1);
  const T* hidden = &last.inputs[n_rows * last_step] + layout_.back().n_inputs + 1;
  work.errors.resize(n_steps * n_rows * n_outputs);
  for (std::size_t i = 0; i < n_steps * n_rows; ++i)
    std::copy_n(&parameters_[head_bias()], n_outputs, &work.errors[i * n_outputs]);
  multiply(n_steps * n_rows, n_outputs, shape_.n_hidden, {hidden, last_step, 1},
           {&parameters_[head_], n_outputs, 1}, work.errors.data(), n_outputs, true);
  double sum = 0;
  for (std::size_t i = 0; i < work.errors.size(); ++i) {
    const T target = sequences.targets[i];
    const T error = target == target ? work.errors[i] - target : T{0};
    sum += static_cast<double>(error * error);
    work.errors[i] = error;
  }
  return sum;
}

template <class T>
void LstmNetwork<T>::backward(const Sequences& sequences, T scale, const PackedWeights& packed,
                              Workspace& work) const {
  const std::size_t n_rows = sequences.n_rows;
  const std::size_t n_steps = sequences.n_steps;
  const std::size_t n_layers = layout_.size();
  const std::size_t width = 4 * n_cells();
  const std::size_t n_outputs = padded(shape_.n_outputs);
  for (auto& layer : work.layers) {
    layer.hidden_gradient.assign(n_rows * n_cells(), T{0});
    layer.cell_gradient.assign(n_rows * n_cells(), T{0});
  }
  work.below.resize(n_rows * n_cells());
  work.gradients.assign(parameters_.size(), T{0});
  T* gradients = work.gradients.data();
  for (T& error : work.errors) error *= scale;

  const std::size_t last_step = input_step(n_layers - 1);
  const T* hidden = &work.layers.back().inputs[n_rows * last_step] + layout_.back().n_inputs + 1;
  multiply(shape_.n_hidden, n_outputs, n_steps * n_rows, {hidden, 1, last_step},
           {work.errors.data(), n_outputs, 1}, gradients + head_, n_outputs, false);
  for (std::size_t i = 0; i < work.errors.size(); ++i)
    gradients[head_bias() + i % n_outputs] += work.errors[i];
  // The loop replaces the gates of each step by their gradients.
  for (std::size_t t = n_steps; t-- > 0;) {
    multiply_packed(
        n_rows, n_cells(), n_outputs, {&work.errors[t * n_rows * n_outputs], n_outputs, 1},
        packed.head_backward.data(), work.layers.back().hidden_gradient.data(), n_cells(), true);
    for (std::size_t l = n_layers; l-- > 0;) {
      auto& layer = work.layers[l];
      T* gates = &layer.gates[t * n_rows * width];
      lstm_backward(
          {n_rows, n_cells(), gates, &layer.cells[t * n_rows * n_cells()],
           &layer.cells[(t + 1) * n_rows * n_cells()], &layer.squashed[t * n_rows * n_cells()]},
          layer.hidden_gradient.data(), layer.cell_gradient.data());
      multiply_packed(n_rows, n_cells(), width, {gates, width, 1}, packed.hidden_backward[l].data(),
                      layer.hidden_gradient.data(), n_cells(), false);
      if (l == 0) continue;
      multiply_packed(n_rows, n_cells(), width, {gates, width, 1}, packed.input_backward[l].data(),
                      work.below.data(), n_cells(), false);
      auto& to = work.layers[l - 1].hidden_gradient;
      const T* factors = layer.dropout.empty() ? nullptr : &layer.dropout[t * to.size()];
      for (std::size_t i = 0; i < to.size(); ++i)
        to[i] += factors == nullptr ? work.below[i] : factors[i] * work.below[i];
    }
  }
  for (std::size_t l = 0; l < n_layers; ++l) {
    const auto& layer = work.layers[l];
    const std::size_t step = input_step(l);
    multiply(layout_[l].n_inputs + 1 + shape_.n_hidden, width, n_steps * n_rows,
             {layer.inputs.data(), 1, step}, {layer.gates.data(), width, 1},
             gradients + layout_[l].weights, width, false);
  }
}

template class LstmNetwork<float>;
template class LstmNetwork<double>;

}  // namespace secondlook::detect
