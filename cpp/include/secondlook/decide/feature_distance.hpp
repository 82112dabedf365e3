#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// How far a sample lies from all that was trained on, in a space of features: Mahalanobis distance
/// from the nearest class (Lee et al. 2018), under one covariance of all classes, shrunk towards a
/// sphere as Ledoit & Wolf (2004) weigh it, so that it is defined also for more features than
/// samples. What is far is unlike the training data, whatever its score. Immutable.
class SECONDLOOK_EXPORT FeatureDistance {
 public:
  /// @param features shape (n, d), finite, at least two rows
  /// @param classes of n rows, any numbers; or none: one class
  /// @throws InvalidArgument otherwise
  explicit FeatureDistance(MatrixView<float> features, std::span<const std::int64_t> classes = {});
  explicit FeatureDistance(MatrixView<double> features, std::span<const std::int64_t> classes = {});

  /// Goes on from what was learned.
  /// @param means shape (classes, d)
  /// @param whitening shape (d, d), lower triangular: distances are lengths of whitening · (x −
  /// mean)
  /// @throws InvalidArgument for shapes that do not match, and what is not finite
  FeatureDistance(Matrix<double> means, Matrix<double> whitening);

  /// The distance of each row of `features`, shape (n, d), from the nearest class.
  /// @throws InvalidArgument for another number of features, and what is not finite
  [[nodiscard]] std::vector<double> distances(MatrixView<float> features) const;
  [[nodiscard]] std::vector<double> distances(MatrixView<double> features) const;

  [[nodiscard]] const Matrix<double>& means() const noexcept { return means_; }
  [[nodiscard]] const Matrix<double>& whitening() const noexcept { return whitening_; }

 private:
  Matrix<double> means_;
  Matrix<double> whitening_;
};

}  // namespace secondlook
