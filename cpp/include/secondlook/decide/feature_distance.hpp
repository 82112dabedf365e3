#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// Distance of a sample from the training data in a feature space: the Mahalanobis distance from
/// the nearest class (Lee et al. 2018), with one covariance for all classes. The covariance is
/// shrunk towards a sphere with the weight of Ledoit & Wolf (2004), so that it is defined even with
/// more features than samples. A distant sample is out of distribution, whatever its score.
/// Immutable.
class SECONDLOOK_EXPORT FeatureDistance {
 public:
  /// @param features of the training data, shape (n, d), finite, at least two rows
  /// @param held_out other samples of the same distribution, shape (m, d), which only set the
  ///   threshold: the `quantile_threshold` of their distances
  /// @param false_alarm_rate fraction of samples of the training distribution that may be called
  ///   out of distribution, in (0, 1)
  /// @param classes of the n training rows, any numbers; empty for one class
  /// @throws InvalidArgument otherwise, and if too few samples are held out for the rate
  FeatureDistance(MatrixView<float> features, MatrixView<float> held_out,
                  double false_alarm_rate = 0.01, std::span<const std::int64_t> classes = {});
  FeatureDistance(MatrixView<double> features, MatrixView<double> held_out,
                  double false_alarm_rate = 0.01, std::span<const std::int64_t> classes = {});

  /// Fitted parameters.
  struct State {
    Matrix<double> means;  ///< shape (classes, d)
    /// Shape (d, d), lower triangular, rounded to single precision, as stored in a file. A distance
    /// is the length of whitening · (x − mean).
    Matrix<double> whitening;
    double threshold;  ///< a sample at or above this distance is out of distribution
    double false_alarm_rate;
  };
  /// Restores a fitted distance.
  /// @throws InvalidArgument if the shapes do not match or a value is not finite
  explicit FeatureDistance(State state);

  /// Distance of each row of `features`, shape (n, d), from the nearest class.
  /// @throws InvalidArgument if the number of features differs or a value is not finite
  [[nodiscard]] std::vector<double> distances(MatrixView<float> features) const;
  [[nodiscard]] std::vector<double> distances(MatrixView<double> features) const;

  /// Which rows of `features`, shape (n, d), are out of distribution.
  /// @throws InvalidArgument as `distances`
  [[nodiscard]] std::vector<bool> is_out_of_distribution(MatrixView<float> features) const;
  [[nodiscard]] std::vector<bool> is_out_of_distribution(MatrixView<double> features) const;

  [[nodiscard]] double threshold() const noexcept { return state_.threshold; }
  [[nodiscard]] std::size_t n_features() const noexcept {
    return static_cast<std::size_t>(state_.means.cols());
  }
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  State state_;
};

template <FieldsOf<FeatureDistance::State> T>
void for_each_field(T& s, auto&& use) {
  use("means", s.means);
  use("whitening", s.whitening);
  use("threshold", s.threshold);
  use("false_alarm_rate", s.false_alarm_rate);
}

}  // namespace secondlook
