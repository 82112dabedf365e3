#include "detect/neural/lstm_weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace secondlook::detect {

namespace {

// Lowest variance of the residuals of a channel, for channels that are forecast perfectly.
constexpr double kVarianceFloor = 1e-6;

}  // namespace

LstmWeights::LstmWeights(const LstmNetwork<float>& network, Scaler channel_scaler,
                         std::vector<double> residual_covariance, std::size_t warm_up,
                         std::size_t gap)
    : shape(network.shape()),
      window(warm_up),
      max_gap(gap),
      scaler(std::move(channel_scaler)),
      covariance(std::move(residual_covariance)),
      precision(covariance.size()),
      values(network.parameters().begin(), network.parameters().end()) {
  for (std::size_t l = 0; l < shape.n_layers; ++l)
    layers.push_back({l == 0 ? shape.n_inputs : network.n_cells(), shape.n_hidden,
                      network.n_cells(), &values[network.layout()[l].weights]});
  view = {layers.data(), layers.size(), &values[network.head()], &values[network.head_bias()],
          padded(shape.n_outputs)};

  const std::size_t n = scaler.n_features();
  for (std::size_t i = 0; i < n; ++i) covariance[i * n + i] += kVarianceFloor;
  const std::vector<char> all(n, 1);
  std::vector<double> unit(n), column(n), factor(n * n);
  for (std::size_t j = 0; j < n; ++j) {
    std::ranges::fill(unit, 0.0);
    unit[j] = 1;
    solve_present(n, covariance.data(), all.data(), unit.data(), factor.data(), column.data());
    for (std::size_t i = 0; i < n; ++i) precision[i * n + j] = column[i];
  }
}

double LstmResidual::score(const LstmWeights& weights, bool counts) {
  const std::size_t n = values.size();
  const auto n_present = static_cast<std::size_t>(std::ranges::count(present, 1));
  std::ranges::fill(contributions, 0.0);
  if (!counts || n_present == 0) return std::numeric_limits<double>::quiet_NaN();
  if (n_present == n) {
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += weights.precision[i * n + j] * values[j];
      solution[i] = sum;
    }
  } else {
    solve_present(n, weights.covariance.data(), present.data(), values.data(), factor.data(),
                  solution.data());
  }
  double result = 0;
  for (std::size_t j = 0; j < n; ++j) {
    contributions[j] = values[j] * solution[j] / static_cast<double>(n_present);
    result -= contributions[j];
  }
  return result;
}

void solve_present(std::size_t n, const double* covariance, const char* present,
                   const double* residual, double* factor, double* solution) {
  for (std::size_t i = 0; i < n; ++i) {
    if (!present[i]) continue;
    for (std::size_t j = 0; j <= i; ++j) {
      if (!present[j]) continue;
      double sum = covariance[i * n + j];
      for (std::size_t k = 0; k < j; ++k)
        if (present[k]) sum -= factor[i * n + k] * factor[j * n + k];
      factor[i * n + j] =
          i == j ? std::sqrt(std::max(sum, kVarianceFloor)) : sum / factor[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (!present[i]) continue;
    double sum = residual[i];
    for (std::size_t k = 0; k < i; ++k)
      if (present[k]) sum -= factor[i * n + k] * solution[k];
    solution[i] = sum / factor[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    if (!present[i]) {
      solution[i] = 0;
      continue;
    }
    for (std::size_t k = i + 1; k < n; ++k)
      if (present[k]) solution[i] -= factor[k * n + i] * solution[k];
    solution[i] /= factor[i * n + i];
  }
}

}  // namespace secondlook::detect
