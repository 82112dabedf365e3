// Compares secondlook's networks with LibTorch's, which the library itself does not link: values
// and gradients for random shapes. Using only torch's operators and autograd, not its layers,
// compiles in a third of the time.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <catch.hpp>
#include <cmath>
#include <vector>

#include "detect/neural/adam.hpp"
#include "detect/neural/dense_network.hpp"
#include "detect/neural/lstm_network.hpp"

using secondlook::RandomStream;
using secondlook::detect::DenseNetwork;
using secondlook::detect::LstmNetwork;
using secondlook::detect::padded;

namespace {

template <class T>
constexpr at::ScalarType kType = std::is_same_v<T, float> ? at::kFloat : at::kDouble;

// Copies rows × cols values from rows that are `step` apart, without their padding.
template <class T>
at::Tensor matrix(const T* data, std::size_t rows, std::size_t cols, std::size_t step) {
  return at::from_blob(const_cast<T*>(data),
                       {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)},
                       {static_cast<std::int64_t>(step), 1}, at::TensorOptions(kType<T>))
      .clone();
}

template <class T>
at::Tensor vector(const T* data, std::size_t n) {
  return matrix(data, 1, n, n).flatten();
}

template <class T>
std::vector<T> draw(std::size_t n_rows, std::size_t n_cols, RandomStream& random) {
  std::vector<T> rows(n_rows * padded(n_cols));
  for (std::size_t i = 0; i < n_rows; ++i)
    for (std::size_t j = 0; j < n_cols; ++j)
      rows[i * padded(n_cols) + j] = static_cast<T>(4 * random.uniform() - 2);
  return rows;
}

// Largest |a − b| / max(1, |b|).
double distance(const at::Tensor& ours, const at::Tensor& theirs) {
  return ((ours - theirs).abs() / theirs.abs().clamp_min(1)).max().item<double>();
}

template <class T>
constexpr double kTolerance = std::is_same_v<T, float> ? 1e-5 : 1e-12;

}  // namespace

TEMPLATE_TEST_CASE("DenseNetwork: loss and gradients equal LibTorch's", "", float, double) {
  using T = TestType;
  const std::uint64_t seed = GENERATE(range(0, 10));
  CAPTURE(seed);
  RandomStream random(seed);
  std::vector<std::size_t> widths(3 + random.below(4));
  for (auto& width : widths) width = 1 + random.below(50);
  const std::size_t n_rows = 2 + random.below(60);
  DenseNetwork<T> network(widths);
  network.initialise(random);
  const auto inputs = draw<T>(n_rows, widths.front(), random);
  const auto targets = draw<T>(n_rows, widths.back(), random);
  typename DenseNetwork<T>::Workspace work;
  network.draw_dropout(n_rows, 0.25, random, work);
  const auto dropout = work.slopes;
  const double loss = network.train(n_rows, inputs.data(), targets.data(), work);

  struct Pair {
    at::Tensor parameter;
    at::Tensor ours;  // secondlook's gradient
  };
  std::vector<Pair> pairs;
  at::Tensor x = matrix(inputs.data(), n_rows, widths.front(), padded(widths.front()));
  const T* parameters = network.parameters().data();
  const T* gradients = work.gradients.data();
  for (std::size_t l = 0; l < network.layout().size(); ++l) {
    const auto& layout = network.layout()[l];
    const std::size_t width = widths[l + 1];
    const auto weights = [&](const T* from) {
      return matrix(from + layout.weights, layout.n_inputs, width, layout.n_outputs).t();
    };
    const auto leaf = [&](const at::Tensor& value, const at::Tensor& ours) {
      pairs.push_back({value.clone().set_requires_grad(true), ours});
      return pairs.back().parameter;
    };
    const auto weight = leaf(weights(parameters), weights(gradients));
    if (l == network.n_hidden()) {
      const auto bias =
          leaf(vector(parameters + layout.bias, width), vector(gradients + layout.bias, width));
      x = at::linear(x, weight, bias);
      break;
    }
    const auto gain =
        leaf(vector(parameters + layout.gain, width), vector(gradients + layout.gain, width));
    const auto shift =
        leaf(vector(parameters + layout.shift, width), vector(gradients + layout.shift, width));
    auto mean = at::zeros({static_cast<std::int64_t>(width)}, kType<T>);
    auto variance = at::zeros({static_cast<std::int64_t>(width)}, kType<T>) + 1;
    x = at::batch_norm(at::linear(x, weight), gain, shift, mean, variance, true, 0.1, 1e-5, false);
    x = at::leaky_relu(x, 0.01) * matrix(dropout[l].data(), n_rows, width, layout.n_outputs);
    CHECK(distance(vector(&network.statistics()[layout.mean], width), mean) < kTolerance<T>);
    CHECK(distance(vector(&network.statistics()[layout.variance], width), variance) <
          kTolerance<T>);
  }
  const auto expected =
      at::mse_loss(x, matrix(targets.data(), n_rows, widths.back(), padded(widths.back())));
  CHECK(loss == Approx(expected.template item<double>()).epsilon(kTolerance<T>));
  expected.backward();
  for (const auto& [parameter, ours] : pairs)
    CHECK(distance(ours, parameter.grad()) < kTolerance<T>);
}

TEMPLATE_TEST_CASE("LstmNetwork: loss and gradients equal LibTorch's", "", float, double) {
  using T = TestType;
  const std::uint64_t seed = GENERATE(range(0, 10));
  CAPTURE(seed);
  RandomStream random(seed);
  const secondlook::detect::LstmShape shape{1 + random.below(10), 1 + random.below(70),
                                            1 + random.below(3), 1 + random.below(4)};
  const std::size_t n_rows = 1 + random.below(20);
  const std::size_t n_steps = 1 + random.below(30);
  LstmNetwork<T> network(shape);
  network.initialise(random);
  std::vector<T> inputs(n_steps * n_rows * shape.n_inputs);
  for (T& value : inputs) value = static_cast<T>(4 * random.uniform() - 2);
  const auto targets = draw<T>(n_steps * n_rows, shape.n_outputs, random);
  typename LstmNetwork<T>::Workspace work;
  typename LstmNetwork<T>::PackedWeights packed;
  network.pack(packed);
  const typename LstmNetwork<T>::Sequences sequences{n_rows, 0, n_steps, inputs.data(),
                                                     targets.data()};
  const auto n_values = static_cast<double>(n_steps * n_rows * shape.n_outputs);
  const double loss = network.forward(sequences, packed, work) / n_values;
  network.backward(sequences, static_cast<T>(2 / n_values), packed, work);

  const std::size_t width = 4 * network.n_cells();
  const std::size_t n_hidden = shape.n_hidden;
  // Converts secondlook's (rows, four padded gates) to torch's (4 hidden, rows).
  const auto gates = [&](const T* from, std::size_t n_of_rows) {
    std::vector<at::Tensor> parts;
    for (std::size_t gate = 0; gate < 4; ++gate)
      parts.push_back(matrix(from + gate * network.n_cells(), n_of_rows, n_hidden, width).t());
    return at::cat(parts);
  };
  std::vector<at::Tensor> leaves, ours;
  const auto add = [&](const at::Tensor& value, const at::Tensor& gradient) {
    leaves.push_back(value.clone().set_requires_grad(true));
    ours.push_back(gradient);
  };
  const T* parameters = network.parameters().data();
  const T* gradients = work.gradients.data();
  for (std::size_t l = 0; l < shape.n_layers; ++l) {
    const auto& layout = network.layout()[l];
    const std::size_t n_inputs = l == 0 ? shape.n_inputs : n_hidden;
    const std::size_t bias = layout.weights + layout.n_inputs * width;
    add(gates(parameters + layout.weights, n_inputs), gates(gradients + layout.weights, n_inputs));
    add(gates(parameters + bias + width, n_hidden), gates(gradients + bias + width, n_hidden));
    add(gates(parameters + bias, 1).flatten(), gates(gradients + bias, 1).flatten());
    // Torch has a second, redundant bias.
    add(at::zeros({static_cast<std::int64_t>(4 * n_hidden)}, kType<T>), ours.back());
  }
  const std::size_t n_outputs = padded(shape.n_outputs);
  add(matrix(parameters + network.head(), n_hidden, shape.n_outputs, n_outputs).t(),
      matrix(gradients + network.head(), n_hidden, shape.n_outputs, n_outputs).t());
  add(vector(parameters + network.head_bias(), shape.n_outputs),
      vector(gradients + network.head_bias(), shape.n_outputs));

  const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  const auto x = vector(inputs.data(), inputs.size())
                     .view({size(n_steps), size(n_rows), size(shape.n_inputs)});
  const auto zero = at::zeros({size(shape.n_layers), size(n_rows), size(n_hidden)}, kType<T>);
  const auto weights = std::vector<at::Tensor>(leaves.begin(), leaves.end() - 2);
  const auto hidden = std::get<0>(
      at::lstm(x, {zero, zero}, weights, true, size(shape.n_layers), 0, false, false, false));
  const auto y = at::linear(hidden, leaves[leaves.size() - 2], leaves.back());
  const auto expected = at::mse_loss(
      y.flatten(0, 1), matrix(targets.data(), n_steps * n_rows, shape.n_outputs, n_outputs));
  CHECK(loss == Approx(expected.template item<double>()).epsilon(kTolerance<T>));
  expected.backward();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    CAPTURE(i);
    CHECK(distance(ours[i], leaves[i].grad()) < kTolerance<T>);
  }
}
