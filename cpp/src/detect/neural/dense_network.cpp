#include "detect/neural/dense_network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace secondlook::detect {

template <class T>
DenseNetwork<T>::DenseNetwork(std::vector<std::size_t> widths) : widths_(std::move(widths)) {
  std::size_t n_parameters = 0;
  std::size_t n_statistics = 0;
  const auto take = [](std::size_t& end, std::size_t n) { return std::exchange(end, end + n); };
  for (std::size_t l = 0; l + 1 < widths_.size(); ++l) {
    const bool hidden = l < n_hidden();
    const std::size_t width = padded(widths_[l + 1]);
    LayerLayout layout{.n_inputs = widths_[l],
                       .n_outputs = width,
                       .weights = 0,
                       .gain = 0,
                       .shift = 0,
                       .bias = 0,
                       .mean = 0,
                       .variance = 0};
    layout.weights = take(n_parameters, padded(widths_[l]) * width);
    if (hidden) {
      layout.gain = take(n_parameters, width);
      layout.shift = take(n_parameters, width);
      layout.mean = take(n_statistics, width);
      layout.variance = take(n_statistics, width);
    } else {
      layout.bias = take(n_parameters, width);
    }
    layout_.push_back(layout);
  }
  parameters_.assign(n_parameters, T{0});
  statistics_.assign(n_statistics, T{0});
}

template <class T>
void DenseNetwork<T>::initialise(RandomStream& random) {
  std::ranges::fill(parameters_, T{0});
  for (std::size_t l = 0; l < layout_.size(); ++l) {
    const LayerLayout& layout = layout_[l];
    const std::size_t width = widths_[l + 1];
    const double bound = 1 / std::sqrt(static_cast<double>(layout.n_inputs));
    const auto draw = [&] { return static_cast<T>((2 * random.uniform() - 1) * bound); };
    for (std::size_t i = 0; i < layout.n_inputs; ++i)
      for (std::size_t j = 0; j < width; ++j)
        parameters_[layout.weights + i * layout.n_outputs + j] = draw();
    if (l < n_hidden()) {
      std::fill_n(&parameters_[layout.gain], width, T{1});
      std::fill_n(&statistics_[layout.mean], layout.n_outputs, T{0});
      std::fill_n(&statistics_[layout.variance], layout.n_outputs, T{1});
    } else {
      std::generate_n(&parameters_[layout.bias], width, draw);
    }
  }
}

template <class T>
void DenseNetwork<T>::draw_dropout(std::size_t n_rows, double dropout, RandomStream& random,
                                   Workspace& work) const {
  // 16 random bits per unit: one random number serves four units.
  const auto limit = static_cast<std::uint64_t>(std::lround(dropout * 65536));
  const auto keep = static_cast<T>(1 / (1 - dropout));
  work.slopes.resize(n_hidden());
  for (std::size_t l = 0; l < n_hidden(); ++l) {
    auto& slopes = work.slopes[l];
    slopes.assign(n_rows * layout_[l].n_outputs, T{1});
    if (limit == 0) continue;
    for (std::size_t i = 0; i < slopes.size(); i += 4) {
      std::uint64_t bits = random();
      for (std::size_t k = 0; k < 4; ++k, bits >>= 16)
        slopes[i + k] = (bits & 0xffffU) < limit ? T{0} : keep;
    }
  }
}

template <class T>
double DenseNetwork<T>::train(std::size_t n_rows, const T* inputs, const T* targets,
                              Workspace& work) {
  const std::size_t n_layers = layout_.size();
  work.normalised.resize(n_layers);
  work.outputs.resize(n_layers);
  work.moments.resize(statistics_.size());
  work.gradients.assign(parameters_.size(), T{0});

  const auto layer_view = [&](std::size_t l) {
    const LayerLayout& layout = layout_[l];
    return NormalisedLayer<T>{n_rows,
                              layout.n_outputs,
                              &parameters_[layout.gain],
                              &parameters_[layout.shift],
                              &work.moments[layout.mean],
                              &work.moments[layout.variance],
                              work.normalised[l].data(),
                              work.slopes[l].data()};
  };

  const T* from = inputs;
  std::size_t from_step = padded(widths_.front());
  for (std::size_t l = 0; l < n_layers; ++l) {
    const LayerLayout& layout = layout_[l];
    const bool hidden = l < n_hidden();
    work.outputs[l].resize(n_rows * layout.n_outputs);
    auto& linear = hidden ? work.normalised[l] : work.outputs[l];
    linear.resize(n_rows * layout.n_outputs);
    if (!hidden)
      for (std::size_t i = 0; i < n_rows; ++i)
        std::copy_n(&parameters_[layout.bias], layout.n_outputs, &linear[i * layout.n_outputs]);
    multiply(n_rows, layout.n_outputs, layout.n_inputs, {from, from_step, 1},
             {&parameters_[layout.weights], layout.n_outputs, 1}, linear.data(), layout.n_outputs,
             !hidden);
    if (hidden) {
      normalise_and_activate(layer_view(l), static_cast<T>(kLeak), work.outputs[l].data());
      // As in torch, the running variance is the unbiased one.
      const T unbiased =
          static_cast<T>(n_rows) / static_cast<T>(std::max<std::size_t>(n_rows, 2) - 1);
      for (std::size_t j = 0; j < layout.n_outputs; ++j) {
        T& mean = statistics_[layout.mean + j];
        mean += static_cast<T>(kMomentum) * (work.moments[layout.mean + j] - mean);
        T& variance = statistics_[layout.variance + j];
        variance +=
            static_cast<T>(kMomentum) * (work.moments[layout.variance + j] * unbiased - variance);
      }
    }
    from = work.outputs[l].data();
    from_step = layout.n_outputs;
  }

  const auto n_values = static_cast<double>(n_rows * widths_.back());
  work.gradient = work.outputs.back();
  const double loss = squared_error(work.gradient.size(), targets, static_cast<T>(2 / n_values),
                                    work.gradient.data()) /
                      n_values;

  for (std::size_t l = n_layers; l-- > 0;) {
    const LayerLayout& layout = layout_[l];
    const auto gradient_of = [&](std::size_t offset) { return &work.gradients[offset]; };
    if (l < n_hidden()) {
      normalise_and_activate_backward(layer_view(l), work.gradient.data(), gradient_of(layout.gain),
                                      gradient_of(layout.shift));
    } else {
      for (std::size_t i = 0; i < n_rows; ++i)
        for (std::size_t j = 0; j < layout.n_outputs; ++j)
          work.gradients[layout.bias + j] += work.gradient[i * layout.n_outputs + j];
    }
    const T* layer_inputs = l == 0 ? inputs : work.outputs[l - 1].data();
    const std::size_t input_step = padded(layout.n_inputs);
    multiply(layout.n_inputs, layout.n_outputs, n_rows, {layer_inputs, 1, input_step},
             {work.gradient.data(), layout.n_outputs, 1}, gradient_of(layout.weights),
             layout.n_outputs, false);
    if (l == 0) break;
    // Gradient with respect to the inputs: times the transposed weights.
    work.next_gradient.resize(n_rows * input_step);
    multiply(n_rows, input_step, widths_[l + 1], {work.gradient.data(), layout.n_outputs, 1},
             {&parameters_[layout.weights], 1, layout.n_outputs}, work.next_gradient.data(),
             input_step, false);
    std::swap(work.gradient, work.next_gradient);
  }
  return loss;
}

template <class T>
FoldedNetwork::FoldedNetwork(const DenseNetwork<T>& network) {
  const auto parameters = network.parameters();
  const auto statistics = network.statistics();
  std::size_t n_values = 0;
  for (const auto& layout : network.layout()) n_values += (layout.n_inputs + 1) * layout.n_outputs;
  values_.assign(n_values, 0.0F);
  buffer_width_ = padded(network.widths().front());
  float* next = values_.data();
  for (std::size_t l = 0; l < network.layout().size(); ++l) {
    const auto& layout = network.layout()[l];
    const bool hidden = l < network.n_hidden();
    float* weights = std::exchange(next, next + layout.n_inputs * layout.n_outputs);
    float* bias = std::exchange(next, next + layout.n_outputs);
    for (std::size_t j = 0; j < network.widths()[l + 1]; ++j) {
      double factor = 1;
      double offset = 0;
      if (hidden) {
        factor = static_cast<double>(parameters[layout.gain + j]) /
                 std::sqrt(static_cast<double>(statistics[layout.variance + j]) + kVarianceFloor);
        offset = static_cast<double>(parameters[layout.shift + j]) -
                 factor * static_cast<double>(statistics[layout.mean + j]);
      } else {
        offset = static_cast<double>(parameters[layout.bias + j]);
      }
      bias[j] = static_cast<float>(offset);
      for (std::size_t i = 0; i < layout.n_inputs; ++i) {
        const std::size_t index = i * layout.n_outputs + j;
        weights[index] =
            static_cast<float>(factor * static_cast<double>(parameters[layout.weights + index]));
      }
    }
    layers_.push_back({layout.n_inputs, layout.n_outputs, weights, bias,
                       hidden ? static_cast<float>(DenseNetwork<T>::kLeak) : 1.0F});
    buffer_width_ = std::max(buffer_width_, layout.n_outputs);
  }
}

template class DenseNetwork<float>;
template class DenseNetwork<double>;
template FoldedNetwork::FoldedNetwork(const DenseNetwork<float>&);
template FoldedNetwork::FoldedNetwork(const DenseNetwork<double>&);

}  // namespace secondlook::detect
