#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "detect/neural/lstm_network.hpp"
#include "secondlook/series/scaler.hpp"

namespace secondlook::detect {

/// Inputs are clipped to ± this many standard deviations, so that a single extreme sample does not
/// disturb the state for long. Residuals are not clipped.
inline constexpr float kInputLimit = 10;

/// Immutable weights that the streams of a model share.
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

/// A residual and its score, with the buffers of the computation, so that scoring does not
/// allocate.
struct LstmResidual {
  explicit LstmResidual(std::size_t n_channels)
      : values(n_channels),
        present(n_channels),
        contributions(n_channels),
        solution(n_channels),
        factor(n_channels * n_channels) {}

  /// Returns minus the mean squared residual under the covariance and sets each channel's
  /// contribution. If `counts` is false or no channel is present, the score is NaN and the
  /// contributions are zero.
  double score(const LstmWeights& weights, bool counts);

  std::vector<double> values;  // 0 where missing
  std::vector<char> present;   // not bools, which std::vector would pack
  std::vector<double> contributions;

 private:
  std::vector<double> solution, factor;
};

/// Solves covariance · solution = residual over the channels that are present, by Cholesky
/// decomposition; missing channels are marginalised out. `present` is 0 for a missing channel;
/// `factor` is a buffer of n × n values.
void solve_present(std::size_t n, const double* covariance, const char* present,
                   const double* residual, double* factor, double* solution);

}  // namespace secondlook::detect
