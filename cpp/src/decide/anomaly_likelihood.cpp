#include "secondlook/decide/anomaly_likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr double kLargestScore = 1e150;  // its square is still finite
constexpr double kRounding = 1e-9;       // relative to the mean: a smaller spread is rounding

// A plain mean until the window is full, then an exponential mean of the same mean age.
double gain(std::int64_t count, std::int64_t window) {
  return std::max(1 / static_cast<double>(count), 2 / (static_cast<double>(window) + 1));
}

}  // namespace

AnomalyLikelihood::AnomalyLikelihood(const AnomalyLikelihoodParameters& parameters)
    : parameters_(parameters) {
  require(parameters.short_window >= 1,
          "AnomalyLikelihood: short_window must be at least 1, got {}", parameters.short_window);
  require(parameters.long_window > parameters.short_window,
          "AnomalyLikelihood: long_window must be above short_window {}, got {}",
          parameters.short_window, parameters.long_window);
  require(parameters.warm_up >= 1, "AnomalyLikelihood: warm_up must be at least 1, got {}",
          parameters.warm_up);
  require(parameters.floor >= 0 && std::isfinite(parameters.floor),
          "AnomalyLikelihood: floor must be at least 0 and finite, got {}", parameters.floor);
}

AnomalyLikelihood::AnomalyLikelihood(const AnomalyLikelihoodParameters& parameters,
                                     const State& state)
    : AnomalyLikelihood(parameters) {
  require(state.count >= 0 && std::isfinite(state.short_mean) && std::isfinite(state.long_mean) &&
              std::isfinite(state.long_variance) && state.long_variance >= 0,
          "AnomalyLikelihood: expected a consistent state, got {} samples with mean {} and "
          "variance {}",
          state.count, state.long_mean, state.long_variance);
  state_ = state;
}

double AnomalyLikelihood::push(double score) {
  require(std::abs(score) <= kLargestScore,
          "AnomalyLikelihood::push: expected a finite score of at most 1e150, got {}", score);
  ++state_.count;
  state_.short_mean += gain(state_.count, parameters_.short_window) * (score - state_.short_mean);
  const double a = gain(state_.count, parameters_.long_window);
  const double distance = score - state_.long_mean;
  state_.long_mean += a * distance;
  state_.long_variance = (1 - a) * (state_.long_variance + a * distance * distance);
  return likelihood();
}

double AnomalyLikelihood::tail_probability() const noexcept {
  if (state_.count <= parameters_.warm_up) return 0.5;
  const double rise = state_.short_mean - state_.long_mean;
  const double sigma = std::max(
      {std::sqrt(state_.long_variance), parameters_.floor, kRounding * std::abs(state_.long_mean)});
  if (sigma == 0) return 0.5;
  return std::erfc(rise / sigma / std::numbers::sqrt2) / 2;
}

}  // namespace secondlook
