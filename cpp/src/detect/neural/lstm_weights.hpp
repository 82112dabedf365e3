#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "detect/neural/lstm_network.hpp"
#include "secondlook/series/scaler.hpp"

namespace secondlook::detect {

/// Inputs lie within ± this many standard deviations: one wild sample shall not upset the state for
/// long. Residuals are not limited.
inline constexpr float kInputLimit = 10;

/// What streams of a model share and nobody changes.
struct LstmWeights {
  LstmWeights(const LstmNetwork<float>& network, Scaler channel_scaler,
              std::vector<double> residual_covariance, std::size_t warm_up, std::size_t gap);
  LstmWeights(const LstmWeights&) = delete;
  LstmWeights& operator=(const LstmWeights&) = delete;

  LstmShape shape;
  std::size_t window;
  std::size_t max_gap;
  Scaler scaler;
  std::vector<double> covariance;  // of the residuals, channels × channels
  std::vector<double> precision;   // its inverse
  std::vector<float> values;
  std::vector<LstmLayerView> layers;
  LstmView view;
};

/// A residual as it is scored: room for the computation included, so that nothing is allocated.
struct LstmResidual {
  explicit LstmResidual(std::size_t n_channels)
      : values(n_channels),
        present(n_channels),
        contributions(n_channels),
        solution(n_channels),
        factor(n_channels * n_channels) {}

  /// Minus the mean squared residual under the covariance, and each channel's part in it; NaN and
  /// zeros where `counts` is false or nothing is present.
  double score(const LstmWeights& weights, bool counts);

  std::vector<double> values;  // 0 where missing
  std::vector<char> present;   // not bools: they are looked at one by one
  std::vector<double> contributions;

 private:
  std::vector<double> solution, factor;
};

/// Solves covariance · solution = residual over the channels present, by Cholesky's method: the
/// others' marginal. `present` is 0 where there is no value; `factor` is room for n × n values.
void solve_present(std::size_t n, const double* covariance, const char* present,
                   const double* residual, double* factor, double* solution);

}  // namespace secondlook::detect
