#include "detect/neural/lstm_network.hpp"

#include <catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

using secondlook::RandomStream;
using secondlook::detect::LstmLayerView;
using secondlook::detect::LstmNetwork;
using secondlook::detect::LstmShape;
using secondlook::detect::padded;

namespace {

template <class T>
struct Case {
  LstmNetwork<T> network;
  std::vector<T> inputs, targets;
  typename LstmNetwork<T>::Sequences sequences;

  Case(LstmShape shape, std::size_t n_rows, std::size_t n_burn_in, std::size_t n_steps,
       RandomStream& random)
      : network(shape),
        inputs((n_burn_in + n_steps) * n_rows * shape.n_inputs),
        targets(n_steps * n_rows * padded(shape.n_outputs)),
        sequences{n_rows, n_burn_in, n_steps, inputs.data(), targets.data()} {
    network.initialise(random);
    for (T& value : inputs) value = static_cast<T>(4 * random.uniform() - 2);
    for (std::size_t i = 0; i < n_steps * n_rows; ++i)
      for (std::size_t j = 0; j < shape.n_outputs; ++j)
        targets[i * padded(shape.n_outputs) + j] = random.below(10) == 0
                                                       ? std::numeric_limits<T>::quiet_NaN()
                                                       : static_cast<T>(2 * random.uniform() - 1);
  }
};

LstmShape draw_shape(RandomStream& random) {
  return {1 + random.below(5), 1 + random.below(20), 1 + random.below(3), 1 + random.below(3)};
}

}  // namespace

TEST_CASE("LstmNetwork: gradients agree with finite differences") {
  const std::uint64_t seed = GENERATE(range(0, 10));
  CAPTURE(seed);
  RandomStream random(seed);
  const auto shape = draw_shape(random);
  Case<double> c(shape, 1 + random.below(6), 0, 1 + random.below(7), random);
  LstmNetwork<double>::Workspace work;
  c.network.draw_dropout(c.sequences, 0.3, random, work);
  LstmNetwork<double>::PackedWeights packed;
  const auto loss = [&] {
    c.network.pack(packed);
    return c.network.forward(c.sequences, packed, work);
  };
  loss();
  c.network.backward(c.sequences, 2.0, packed, work);
  const auto gradients = work.gradients;
  auto parameters = c.network.parameters();
  for (int k = 0; k < 60; ++k) {
    const std::size_t at = random.below(parameters.size());
    const double value = parameters[at];
    if (value == 0) {  // padding
      REQUIRE(gradients[at] == 0);
      continue;
    }
    constexpr double kStep = 1e-6;
    parameters[at] = value + kStep;
    const double above = loss();
    parameters[at] = value - kStep;
    const double below = loss();
    parameters[at] = value;
    const double expected = (above - below) / (2 * kStep);
    // Differences of the loss contain its rounding error divided by the step.
    REQUIRE(gradients[at] == Approx(expected).epsilon(1e-6).margin(1e-7));
  }
}

TEST_CASE("LstmNetwork: a burn-in equals the preceding steps") {
  RandomStream random(3);
  Case<double> whole({2, 9, 2, 2}, 3, 0, 12, random);
  LstmNetwork<double>::Workspace work;
  LstmNetwork<double>::PackedWeights packed;
  whole.network.pack(packed);
  whole.network.forward(whole.sequences, packed, work);
  const std::vector<double> errors(work.errors.begin() + 5 * 3 * 16, work.errors.end());
  auto later = whole.sequences;
  later.n_burn_in = 5;
  later.n_steps = 7;
  later.targets += 5 * 3 * 16;
  whole.network.forward(later, packed, work);
  REQUIRE(work.errors == errors);
}

TEST_CASE("LstmNetwork: single steps equal a sequence") {
  const std::uint64_t seed = GENERATE(range(0, 6));
  CAPTURE(seed);
  RandomStream random(seed);
  const auto shape = draw_shape(random);
  Case<float> c(shape, 1, 0, 20, random);
  for (float& target : c.targets) target = 0;
  LstmNetwork<float>::Workspace work;
  LstmNetwork<float>::PackedWeights packed;
  c.network.pack(packed);
  c.network.forward(c.sequences, packed, work);

  std::vector<LstmLayerView> layers;
  const auto parameters = c.network.parameters();
  for (std::size_t l = 0; l < shape.n_layers; ++l)
    layers.push_back({l == 0 ? shape.n_inputs : c.network.n_cells(), shape.n_hidden,
                      c.network.n_cells(), &parameters[c.network.layout()[l].weights]});
  const secondlook::detect::LstmView view{
      layers.data(), layers.size(), &parameters[c.network.head()],
      &parameters[c.network.head_bias()], padded(shape.n_outputs)};
  std::vector<float> state(2 * c.network.n_cells() * shape.n_layers),
      gates(4 * c.network.n_cells());
  std::vector<float> outputs(padded(shape.n_outputs));
  for (std::size_t t = 0; t < 20; ++t) {
    secondlook::detect::lstm_step(view, &c.inputs[t * shape.n_inputs], state.data(), gates.data(),
                                  outputs.data());
    for (std::size_t j = 0; j < shape.n_outputs; ++j)
      REQUIRE(outputs[j] ==
              Approx(work.errors[t * padded(shape.n_outputs) + j]).epsilon(1e-5).margin(1e-5));
  }
}
