#include "secondlook/series/scaler.hpp"

#include <cmath>
#include <utility>

#include "core/validation.hpp"

namespace secondlook {

namespace {

// A standard deviation below this fraction of the mean is a rounding error.
constexpr double kRounding = 1e-12;

template <class Scalar>
Scaler fit(std::span<const MatrixView<Scalar>> tables) {
  const auto n_features = tables.empty() ? 0 : static_cast<std::size_t>(tables.front().cols());
  std::vector<double> counts(n_features, 0), mean(n_features, 0), scale(n_features, 0);
  const auto for_each_value = [&](const auto& use) {
    for (const auto& x : tables)
      for (Index i = 0; i < x.rows(); ++i)
        for (std::size_t j = 0; j < n_features; ++j) {
          const auto value = static_cast<double>(x.row(i)[j]);
          if (value == value) use(j, value);
        }
  };
  for_each_value([&](std::size_t j, double value) {
    ++counts[j];
    mean[j] += value;
  });
  for (std::size_t j = 0; j < n_features; ++j) mean[j] /= std::max(counts[j], 1.0);
  for_each_value(
      [&](std::size_t j, double value) { scale[j] += (value - mean[j]) * (value - mean[j]); });
  for (std::size_t j = 0; j < n_features; ++j) {
    scale[j] = std::sqrt(scale[j] / std::max(counts[j], 1.0));
    if (scale[j] <= kRounding * std::abs(mean[j])) scale[j] = 1;
  }
  return {std::move(mean), std::move(scale)};
}

}  // namespace

Scaler::Scaler(MatrixView<float> x) : Scaler(std::span(&x, 1)) {}
Scaler::Scaler(MatrixView<double> x) : Scaler(std::span(&x, 1)) {}
Scaler::Scaler(std::span<const MatrixView<float>> tables) : Scaler(fit(tables)) {}
Scaler::Scaler(std::span<const MatrixView<double>> tables) : Scaler(fit(tables)) {}

Scaler::Scaler(std::vector<double> mean, std::vector<double> scale)
    : mean_(std::move(mean)), scale_(std::move(scale)), inverse_(scale_.size()) {
  require(mean_.size() == scale_.size(), "Scaler: expected one scale per mean ({}), got {}",
          mean_.size(), scale_.size());
  for (std::size_t j = 0; j < mean_.size(); ++j) {
    require(std::isfinite(mean_[j]) && std::isfinite(scale_[j]) && scale_[j] > 0,
            "Scaler: expected a finite mean and a scale above 0, got {} and {} for feature {}",
            mean_[j], scale_[j], j);
    inverse_[j] = 1 / scale_[j];
  }
}

}  // namespace secondlook
