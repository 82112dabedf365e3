#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// How far a sample lies from all that was trained on, in a space of features: Mahalanobis distance
/// from the nearest class (Lee et al. 2018), under one covariance of all classes, shrunk towards a
/// sphere as Ledoit & Wolf (2004) weigh it, so that it is defined also for more features than
/// samples. What is far is unlike the training data, whatever its score. Immutable.
class SECONDLOOK_EXPORT FeatureDistance {
 public:
  /// @param features of the training data, shape (n, d), finite, at least two rows
  /// @param held_out other samples like them, shape (m, d): they set the threshold alone
  /// @param false_alarm_rate fraction of samples like the training data that may be called unlike
  /// it,
  ///   in (0, 1): of the distances of `held_out` the threshold is the `quantile_threshold`
  /// @param classes of n rows, any numbers; or none: one class
  /// @throws InvalidArgument otherwise, and where too few are held out for the rate
  FeatureDistance(MatrixView<float> features, MatrixView<float> held_out,
                  double false_alarm_rate = 0.01, std::span<const std::int64_t> classes = {});
  FeatureDistance(MatrixView<double> features, MatrixView<double> held_out,
                  double false_alarm_rate = 0.01, std::span<const std::int64_t> classes = {});

  /// What was learned.
  struct State {
    Matrix<double> means;  ///< shape (classes, d)
    /// Shape (d, d), lower triangular; of single precision, as a file keeps it. Distances are
    /// lengths of whitening · (x − mean).
    Matrix<double> whitening;
    double threshold;  ///< unlike the training data from here on
    double false_alarm_rate;
  };
  /// Goes on from what was learned.
  /// @throws InvalidArgument for shapes that do not match, and what is not finite
  explicit FeatureDistance(State state);

  /// The distance of each row of `features`, shape (n, d), from the nearest class.
  /// @throws InvalidArgument for another number of features, and what is not finite
  [[nodiscard]] std::vector<double> distances(MatrixView<float> features) const;
  [[nodiscard]] std::vector<double> distances(MatrixView<double> features) const;

  /// Which rows of `features`, shape (n, d), are unlike the training data.
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
