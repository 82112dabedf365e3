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
    Place place{.n_inputs = widths_[l],
                .n_outputs = width,
                .weights = 0,
                .gain = 0,
                .shift = 0,
                .bias = 0,
                .mean = 0,
                .variance = 0};
    place.weights = take(n_parameters, padded(widths_[l]) * width);
    if (hidden) {
      place.gain = take(n_parameters, width);
      place.shift = take(n_parameters, width);
      place.mean = take(n_statistics, width);
      place.variance = take(n_statistics, width);
    } else {
      place.bias = take(n_parameters, width);
    }
    places_.push_back(place);
  }
  parameters_.assign(n_parameters, T{0});
  statistics_.assign(n_statistics, T{0});
}

template <class T>
void DenseNetwork<T>::initialise(RandomStream& random) {
  std::ranges::fill(parameters_, T{0});
  for (std::size_t l = 0; l < places_.size(); ++l) {
    const Place& place = places_[l];
    const std::size_t width = widths_[l + 1];
    const double bound = 1 / std::sqrt(static_cast<double>(place.n_inputs));
    const auto draw = [&] { return static_cast<T>((2 * random.uniform() - 1) * bound); };
    for (std::size_t i = 0; i < place.n_inputs; ++i)
      for (std::size_t j = 0; j < width; ++j)
        parameters_[place.weights + i * place.n_outputs + j] = draw();
    if (l < n_hidden()) {
      std::fill_n(&parameters_[place.gain], width, T{1});
      std::fill_n(&statistics_[place.mean], place.n_outputs, T{0});
      std::fill_n(&statistics_[place.variance], place.n_outputs, T{1});
    } else {
      std::generate_n(&parameters_[place.bias], width, draw);
    }
  }
}

template <class T>
void DenseNetwork<T>::draw_dropout(std::size_t n_rows, double dropout, RandomStream& random,
                                   Workspace& work) const {
  // 16 random bits a unit: four units a number.
  const auto limit = static_cast<std::uint64_t>(std::lround(dropout * 65536));
  const auto keep = static_cast<T>(1 / (1 - dropout));
  work.slopes.resize(n_hidden());
  for (std::size_t l = 0; l < n_hidden(); ++l) {
    auto& slopes = work.slopes[l];
    slopes.assign(n_rows * places_[l].n_outputs, T{1});
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
  const std::size_t n_layers = places_.size();
  work.normalised.resize(n_layers);
  work.outputs.resize(n_layers);
  work.moments.resize(statistics_.size());
  work.gradients.assign(parameters_.size(), T{0});

  const auto layer_view = [&](std::size_t l) {
    const Place& place = places_[l];
    return NormalisedLayer<T>{n_rows,
                              place.n_outputs,
                              &parameters_[place.gain],
                              &parameters_[place.shift],
                              &work.moments[place.mean],
                              &work.moments[place.variance],
                              work.normalised[l].data(),
                              work.slopes[l].data()};
  };

  const T* from = inputs;
  std::size_t from_step = padded(widths_.front());
  for (std::size_t l = 0; l < n_layers; ++l) {
    const Place& place = places_[l];
    const bool hidden = l < n_hidden();
    work.outputs[l].resize(n_rows * place.n_outputs);
    auto& linear = hidden ? work.normalised[l] : work.outputs[l];
    linear.resize(n_rows * place.n_outputs);
    if (!hidden)
      for (std::size_t i = 0; i < n_rows; ++i)
        std::copy_n(&parameters_[place.bias], place.n_outputs, &linear[i * place.n_outputs]);
    multiply(n_rows, place.n_outputs, place.n_inputs, {from, from_step, 1},
             {&parameters_[place.weights], place.n_outputs, 1}, linear.data(), place.n_outputs,
             !hidden);
    if (hidden) {
      normalise_and_activate(layer_view(l), static_cast<T>(kLeak), work.outputs[l].data());
      // The running variance is the unbiased one, as torch keeps it.
      const T unbiased =
          static_cast<T>(n_rows) / static_cast<T>(std::max<std::size_t>(n_rows, 2) - 1);
      for (std::size_t j = 0; j < place.n_outputs; ++j) {
        T& mean = statistics_[place.mean + j];
        mean += static_cast<T>(kMomentum) * (work.moments[place.mean + j] - mean);
        T& variance = statistics_[place.variance + j];
        variance +=
            static_cast<T>(kMomentum) * (work.moments[place.variance + j] * unbiased - variance);
      }
    }
    from = work.outputs[l].data();
    from_step = place.n_outputs;
  }

  const auto n_values = static_cast<double>(n_rows * widths_.back());
  work.gradient = work.outputs.back();
  const double loss = squared_error(work.gradient.size(), targets, static_cast<T>(2 / n_values),
                                    work.gradient.data()) /
                      n_values;

  for (std::size_t l = n_layers; l-- > 0;) {
    const Place& place = places_[l];
    const auto at = [&](std::size_t place_of) { return &work.gradients[place_of]; };
    if (l < n_hidden()) {
      normalise_and_activate_backward(layer_view(l), work.gradient.data(), at(place.gain),
                                      at(place.shift));
    } else {
      for (std::size_t i = 0; i < n_rows; ++i)
        for (std::size_t j = 0; j < place.n_outputs; ++j)
          work.gradients[place.bias + j] += work.gradient[i * place.n_outputs + j];
    }
    const T* layer_inputs = l == 0 ? inputs : work.outputs[l - 1].data();
    const std::size_t input_step = padded(place.n_inputs);
    multiply(place.n_inputs, place.n_outputs, n_rows, {layer_inputs, 1, input_step},
             {work.gradient.data(), place.n_outputs, 1}, at(place.weights), place.n_outputs, false);
    if (l == 0) break;
    // By the inputs: times the transposed weights.
    work.next_gradient.resize(n_rows * input_step);
    multiply(n_rows, input_step, widths_[l + 1], {work.gradient.data(), place.n_outputs, 1},
             {&parameters_[place.weights], 1, place.n_outputs}, work.next_gradient.data(),
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
  for (const auto& place : network.places()) n_values += (place.n_inputs + 1) * place.n_outputs;
  values_.assign(n_values, 0.0F);
  buffer_width_ = padded(network.widths().front());
  float* next = values_.data();
  for (std::size_t l = 0; l < network.places().size(); ++l) {
    const auto& place = network.places()[l];
    const bool hidden = l < network.n_hidden();
    float* weights = std::exchange(next, next + place.n_inputs * place.n_outputs);
    float* bias = std::exchange(next, next + place.n_outputs);
    for (std::size_t j = 0; j < network.widths()[l + 1]; ++j) {
      double factor = 1;
      double offset = 0;
      if (hidden) {
        factor = static_cast<double>(parameters[place.gain + j]) /
                 std::sqrt(static_cast<double>(statistics[place.variance + j]) + kVarianceFloor);
        offset = static_cast<double>(parameters[place.shift + j]) -
                 factor * static_cast<double>(statistics[place.mean + j]);
      } else {
        offset = static_cast<double>(parameters[place.bias + j]);
      }
      bias[j] = static_cast<float>(offset);
      for (std::size_t i = 0; i < place.n_inputs; ++i) {
        const std::size_t at = i * place.n_outputs + j;
        weights[at] =
            static_cast<float>(factor * static_cast<double>(parameters[place.weights + at]));
      }
    }
    layers_.push_back({place.n_inputs, place.n_outputs, weights, bias,
                       hidden ? static_cast<float>(DenseNetwork<T>::kLeak) : 1.0F});
    buffer_width_ = std::max(buffer_width_, place.n_outputs);
  }
}

template class DenseNetwork<float>;
template class DenseNetwork<double>;
template FoldedNetwork::FoldedNetwork(const DenseNetwork<float>&);
template FoldedNetwork::FoldedNetwork(const DenseNetwork<double>&);

}  // namespace secondlook::detect
