#include "secondlook/decide/feature_distance.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/validation.hpp"
#include "secondlook/decide/quantile_threshold.hpp"
#include "secondlook/eigen.hpp"

namespace secondlook {

namespace {

template <class Derived>
Matrix<double> to_single(const Eigen::MatrixBase<Derived>& values) {
  return to_matrix(values.template cast<float>().template cast<double>());
}

// Computes everything except the threshold.
FeatureDistance::State fit(EigenMatrix<double> x, std::span<const std::int64_t> classes) {
  const Index n = x.rows();
  const Index d = x.cols();
  require(n >= 2, "FeatureDistance: expected at least 2 samples, got {}", n);
  require(classes.empty() || classes.size() == static_cast<std::size_t>(n),
          "FeatureDistance: expected one class per sample ({}), got {}", n, classes.size());
  std::map<std::int64_t, Index> numbers;
  for (const std::int64_t name : classes) numbers.try_emplace(name, 0);
  if (classes.empty()) numbers.try_emplace(0, 0);
  Index n_classes = 0;
  for (auto& [name, number] : numbers) number = n_classes++;
  const auto class_of = [&](Index i) {
    return classes.empty() ? 0 : numbers.at(classes[static_cast<std::size_t>(i)]);
  };

  EigenMatrix<double> means = EigenMatrix<double>::Zero(n_classes, d);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(n_classes);
  for (Index i = 0; i < n; ++i) {
    means.row(class_of(i)) += x.row(i);
    ++counts(class_of(i));
  }
  for (Index k = 0; k < n_classes; ++k) means.row(k) /= counts(k);
  for (Index i = 0; i < n; ++i) x.row(i) -= means.row(class_of(i));

  const auto rows = static_cast<double>(n);
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(d, d);
  covariance.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose(), 1 / rows);
  covariance.triangularView<Eigen::StrictlyUpper>() = covariance.transpose();
  const double sphere = covariance.trace() / static_cast<double>(d);
  const double squares = covariance.squaredNorm();
  const double spread = squares - static_cast<double>(d) * sphere * sphere;
  const double error = (x.rowwise().squaredNorm().array().square().sum() / rows - squares) / rows;
  const double fraction = spread > 0 ? std::clamp(error / spread, 0.0, 1.0) : 1.0;
  covariance *= 1 - fraction;
  covariance.diagonal().array() += fraction * sphere;
  require(
      sphere > 0,
      "FeatureDistance: expected features that vary within a class, got {} samples of {} classes "
      "with equal samples in each class",
      n, n_classes);
  // Keeps distances finite if a feature is constant or duplicates another.
  covariance.diagonal().array() += 1e-9 * sphere;
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  require(factor.info() == Eigen::Success, "FeatureDistance: the covariance cannot be inverted");
  EigenMatrix<double> whitening = EigenMatrix<double>::Identity(d, d);
  factor.matrixL().solveInPlace(whitening);
  return {to_matrix(means), to_single(whitening), 0, 0};
}

template <class Scalar>
std::vector<double> distances_any(const FeatureDistance::State& fitted,
                                  MatrixView<Scalar> features) {
  const auto means = as_eigen(fitted.means);
  require_samples("FeatureDistance::distances", features, static_cast<std::size_t>(means.cols()));
  // Samples and means are whitened once; after that the distances are Euclidean.
  const auto whiten =
      as_eigen(fitted.whitening).transpose().template triangularView<Eigen::Upper>();
  const EigenMatrix<double> x = as_eigen(features).template cast<double>() * whiten;
  const EigenMatrix<double> centres = means * whiten;
  std::vector<double> distances(static_cast<std::size_t>(x.rows()));
  for (Index i = 0; i < x.rows(); ++i)
    distances[static_cast<std::size_t>(i)] =
        std::sqrt((centres.rowwise() - x.row(i)).rowwise().squaredNorm().minCoeff());
  return distances;
}

template <class Scalar>
FeatureDistance::State fit_any(MatrixView<Scalar> features, MatrixView<Scalar> held_out,
                               double false_alarm_rate, std::span<const std::int64_t> classes) {
  require_samples("FeatureDistance", features, 0);
  FeatureDistance::State state = fit(as_eigen(features).template cast<double>(), classes);
  state.false_alarm_rate = false_alarm_rate;
  state.threshold = quantile_threshold(distances_any(state, held_out), false_alarm_rate);
  return state;
}

template <class Scalar>
std::vector<bool> is_out_of_distribution_any(const FeatureDistance& fitted,
                                             MatrixView<Scalar> features) {
  const auto distances = fitted.distances(features);
  std::vector<bool> out_of_distribution(distances.size());
  std::transform(distances.begin(), distances.end(), out_of_distribution.begin(),
                 [&](double distance) { return distance >= fitted.threshold(); });
  return out_of_distribution;
}

}  // namespace

FeatureDistance::FeatureDistance(MatrixView<float> features, MatrixView<float> held_out,
                                 double false_alarm_rate, std::span<const std::int64_t> classes)
    : state_(fit_any(features, held_out, false_alarm_rate, classes)) {}
FeatureDistance::FeatureDistance(MatrixView<double> features, MatrixView<double> held_out,
                                 double false_alarm_rate, std::span<const std::int64_t> classes)
    : state_(fit_any(features, held_out, false_alarm_rate, classes)) {}

FeatureDistance::FeatureDistance(State state) : state_(std::move(state)) {
  const auto& [means, whitening, threshold, false_alarm_rate] = state_;
  require(means.rows() > 0 && means.cols() > 0 && whitening.rows() == means.cols() &&
              whitening.cols() == means.cols(),
          "FeatureDistance: expected means of shape (classes, d) and whitening of shape (d, d), "
          "got ({}, {}) and ({}, {})",
          means.rows(), means.cols(), whitening.rows(), whitening.cols());
  require(all_finite<double>(means) && all_finite<double>(whitening) && std::isfinite(threshold),
          "FeatureDistance: expected finite means, whitening and threshold");
  require(false_alarm_rate > 0 && false_alarm_rate < 1,
          "FeatureDistance: false_alarm_rate must lie in (0, 1), got {}", false_alarm_rate);
  state_.whitening = to_single(as_eigen(whitening));
}

std::vector<double> FeatureDistance::distances(MatrixView<float> features) const {
  return distances_any(state_, features);
}
std::vector<double> FeatureDistance::distances(MatrixView<double> features) const {
  return distances_any(state_, features);
}

std::vector<bool> FeatureDistance::is_out_of_distribution(MatrixView<float> features) const {
  return is_out_of_distribution_any(*this, features);
}
std::vector<bool> FeatureDistance::is_out_of_distribution(MatrixView<double> features) const {
  return is_out_of_distribution_any(*this, features);
}

}  // namespace secondlook
