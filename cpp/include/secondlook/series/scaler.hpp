#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// Scales each feature to mean 0 and standard deviation 1 over the samples it was fitted on.
///
/// Missing values (NaN) are ignored in the fit and remain missing. A constant feature is only
/// shifted.
class SECONDLOOK_EXPORT Scaler {
 public:
  /// Scaled values are clipped to ± this many standard deviations, so that nothing overflows later.
  static constexpr float kLimit = 1e6F;

  Scaler() = default;
  /// @param x shape (n, n_features); a feature without any value gets mean 0 and scale 1
  explicit Scaler(MatrixView<float> x);
  explicit Scaler(MatrixView<double> x);
  /// Fits to the samples of several tables with the same features.
  explicit Scaler(std::span<const MatrixView<float>> tables);
  explicit Scaler(std::span<const MatrixView<double>> tables);
  /// @throws InvalidArgument unless there are as many scales as means, all finite, and all scales
  /// are
  ///   above 0
  Scaler(std::vector<double> mean, std::vector<double> scale);

  [[nodiscard]] std::size_t n_features() const noexcept { return mean_.size(); }
  [[nodiscard]] std::span<const double> mean() const noexcept { return mean_; }
  /// Standard deviations; 1 for a constant feature.
  [[nodiscard]] std::span<const double> scale() const noexcept { return scale_; }

  /// 1 / scale: scaled = (value − mean) · inverse_scale, clipped to ± kLimit.
  [[nodiscard]] std::span<const double> inverse_scale() const noexcept { return inverse_; }

  /// Scales one sample.
  template <class Scalar>
  void transform(const Scalar* sample, float* scaled) const noexcept {
    for (std::size_t j = 0; j < mean_.size(); ++j) {
      const auto value =
          static_cast<float>((static_cast<double>(sample[j]) - mean_[j]) * inverse_[j]);
      // In this order NaN is preserved.
      scaled[j] = std::min(std::max(value, -kLimit), kLimit);
    }
  }

  /// Inverse of `transform`, for one sample.
  void inverse_transform(const float* scaled, double* sample) const noexcept {
    for (std::size_t j = 0; j < mean_.size(); ++j)
      sample[j] = static_cast<double>(scaled[j]) * scale_[j] + mean_[j];
  }

 private:
  std::vector<double> mean_;
  std::vector<double> scale_;
  std::vector<double> inverse_;
};

}  // namespace secondlook
