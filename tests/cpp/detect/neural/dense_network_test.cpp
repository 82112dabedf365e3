#include "detect/neural/dense_network.hpp"

#include <catch.hpp>
#include <cmath>
#include <vector>

using secondlook::RandomStream;
using secondlook::detect::DenseNetwork;
using secondlook::detect::FoldedNetwork;
using secondlook::detect::padded;

namespace {

// Approximately normal: the sum of twelve uniform numbers.
double draw_normal(RandomStream& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.uniform();
  return sum;
}

template <class T>
std::vector<T> draw_rows(std::size_t n_rows, std::size_t n_columns, RandomStream& random) {
  std::vector<T> rows(n_rows * padded(n_columns));
  for (std::size_t i = 0; i < n_rows; ++i)
    for (std::size_t j = 0; j < n_columns; ++j)
      rows[i * padded(n_columns) + j] = static_cast<T>(draw_normal(random));
  return rows;
}

std::vector<std::size_t> draw_widths(RandomStream& random) {
  std::vector<std::size_t> widths(3 + random.below(4));
  for (auto& width : widths) width = 1 + random.below(40);
  return widths;
}

}  // namespace

TEST_CASE("DenseNetwork: gradients agree with finite differences") {
  const std::uint64_t seed = GENERATE(range(0, 12));
  CAPTURE(seed);
  RandomStream random(seed);
  const auto widths = draw_widths(random);
  const std::size_t n_rows = 2 + random.below(9);
  DenseNetwork<double> network(widths);
  network.initialise(random);
  for (std::size_t l = 0; l < network.n_hidden(); ++l)
    for (std::size_t j = 0; j < widths[l + 1]; ++j)
      network.parameters()[network.layout()[l].shift + j] = 0.1 * draw_normal(random);
  const auto inputs = draw_rows<double>(n_rows, widths.front(), random);
  const auto targets = draw_rows<double>(n_rows, widths.back(), random);
  DenseNetwork<double>::Workspace dropout;
  network.draw_dropout(n_rows, 0.2, random, dropout);

  const auto loss = [&](DenseNetwork<double>::Workspace& work) {
    work.slopes = dropout.slopes;
    return network.train(n_rows, inputs.data(), targets.data(), work);
  };
  DenseNetwork<double>::Workspace work;
  loss(work);
  const auto gradients = work.gradients;
  auto parameters = network.parameters();
  DenseNetwork<double>::Workspace scratch;
  int n_off = 0;
  for (int k = 0; k < 60; ++k) {
    const std::size_t at = random.below(parameters.size());
    const double value = parameters[at];
    if (value == 0) {  // padding
      REQUIRE(gradients[at] == 0);
      continue;
    }
    constexpr double kStep = 1e-6;
    parameters[at] = value + kStep;
    const double above = loss(scratch);
    parameters[at] = value - kStep;
    const double below = loss(scratch);
    parameters[at] = value;
    const double expected = (above - below) / (2 * kStep);
    // Differences of the loss contain its rounding error divided by the step; a leaky ReLU near its
    // kink has a wrong difference.
    if (std::abs(gradients[at] - expected) > 1e-6 * std::max(1.0, std::abs(expected))) ++n_off;
  }
  CHECK(n_off <= 1);
}

TEST_CASE("DenseNetwork: padding stays zero through training") {
  RandomStream random(1);
  DenseNetwork<float> network({3, 5, 2, 5, 3});
  network.initialise(random);
  const auto before = std::vector<float>(network.parameters().begin(), network.parameters().end());
  const auto inputs = draw_rows<float>(16, 3, random);
  DenseNetwork<float>::Workspace work;
  network.draw_dropout(16, 0.25, random, work);
  network.train(16, inputs.data(), inputs.data(), work);
  for (std::size_t i = 0; i < before.size(); ++i) {
    CAPTURE(i);
    const bool is_shift = [&] {
      for (std::size_t l = 0; l < network.n_hidden(); ++l) {
        const auto& layout = network.layout()[l];
        if (i >= layout.shift && i < layout.shift + network.widths()[l + 1]) return true;
      }
      return false;
    }();
    if (before[i] == 0 && !is_shift) CHECK(work.gradients[i] == 0);
  }
}

TEST_CASE("FoldedNetwork: the output for a row does not depend on the other rows") {
  RandomStream random(GENERATE(range(0, 6)));
  const auto widths = draw_widths(random);
  DenseNetwork<float> network(widths);
  network.initialise(random);
  for (float& value : network.statistics()) value = static_cast<float>(0.5 + random.uniform());
  const FoldedNetwork folded(network);
  const std::size_t n_rows = 1 + random.below(70);
  const std::size_t step = padded(widths.front());
  const std::size_t width = padded(widths.back());
  const auto inputs = draw_rows<float>(n_rows, widths.front(), random);
  std::vector<float> first(n_rows * folded.buffer_width()), second(first.size());
  const float* all = folded.run(n_rows, inputs.data(), step, first.data(), second.data());
  const std::vector<float> expected(all, all + n_rows * width);
  for (std::size_t i = 0; i < n_rows; ++i) {
    const float* one = folded.run(1, &inputs[i * step], step, first.data(), second.data());
    for (std::size_t j = 0; j < widths.back(); ++j) REQUIRE(one[j] == expected[i * width + j]);
  }
}
