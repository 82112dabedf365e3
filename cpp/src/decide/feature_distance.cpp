#include "secondlook/decide/feature_distance.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/validation.hpp"

namespace secondlook {

namespace {

struct Fitted {
  Matrix<double> means;
  Matrix<double> whitening;
};

Fitted fit(Matrix<double> x, std::span<const std::int64_t> classes) {
  const Eigen::Index n = x.rows();
  const Eigen::Index d = x.cols();
  require(n >= 2, "FeatureDistance: expected at least 2 samples, got {}", n);
  require(classes.empty() || classes.size() == static_cast<std::size_t>(n),
          "FeatureDistance: expected a class for each of {} samples, got {}", n, classes.size());
  std::map<std::int64_t, Eigen::Index> numbers;
  for (const std::int64_t name : classes) numbers.try_emplace(name, 0);
  if (classes.empty()) numbers.try_emplace(0, 0);
  Eigen::Index n_classes = 0;
  for (auto& [name, number] : numbers) number = n_classes++;
  const auto class_of = [&](Eigen::Index i) {
    return classes.empty() ? 0 : numbers.at(classes[static_cast<std::size_t>(i)]);
  };

  Matrix<double> means = Matrix<double>::Zero(n_classes, d);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(n_classes);
  for (Eigen::Index i = 0; i < n; ++i) {
    means.row(class_of(i)) += x.row(i);
    ++counts(class_of(i));
  }
  for (Eigen::Index k = 0; k < n_classes; ++k) means.row(k) /= counts(k);
  for (Eigen::Index i = 0; i < n; ++i) x.row(i) -= means.row(class_of(i));

  const auto rows = static_cast<double>(n);
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(d, d);
  covariance.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose(), 1 / rows);
  covariance.triangularView<Eigen::StrictlyUpper>() = covariance.transpose();
  const double sphere = covariance.trace() / static_cast<double>(d);
  const double squares = covariance.squaredNorm();
  const double spread = squares - static_cast<double>(d) * sphere * sphere;
  const double error = (x.rowwise().squaredNorm().array().square().sum() / rows - squares) / rows;
  const double share = spread > 0 ? std::clamp(error / spread, 0.0, 1.0) : 1.0;
  covariance *= 1 - share;
  covariance.diagonal().array() += share * sphere;
  require(sphere > 0, "FeatureDistance: expected features that vary, got {} equal samples a class",
          n);
  // So that features that never vary, or copy each other, do not make every distance infinite.
  covariance.diagonal().array() += 1e-9 * sphere;
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  require(factor.info() == Eigen::Success, "FeatureDistance: the covariance cannot be inverted");
  Matrix<double> whitening = Matrix<double>::Identity(d, d);
  factor.matrixL().solveInPlace(whitening);
  return {std::move(means), std::move(whitening)};
}

template <class Scalar>
Fitted fit_any(MatrixView<Scalar> features, std::span<const std::int64_t> classes) {
  require_samples("FeatureDistance", features, 0);
  return fit(features.eigen().template cast<double>(), classes);
}

template <class Scalar>
std::vector<double> distances_any(const FeatureDistance& fitted, MatrixView<Scalar> features) {
  const Matrix<double>& means = fitted.means();
  require_samples("FeatureDistance::distances", features, static_cast<std::size_t>(means.cols()));
  // Whitened once: distances from the whitened means are what is left.
  const Matrix<double> x = features.eigen().template cast<double>() *
                           fitted.whitening().transpose().template triangularView<Eigen::Upper>();
  const Matrix<double> centres =
      means * fitted.whitening().transpose().template triangularView<Eigen::Upper>();
  std::vector<double> distances(static_cast<std::size_t>(x.rows()));
  for (Eigen::Index i = 0; i < x.rows(); ++i)
    distances[static_cast<std::size_t>(i)] =
        std::sqrt((centres.rowwise() - x.row(i)).rowwise().squaredNorm().minCoeff());
  return distances;
}

}  // namespace

FeatureDistance::FeatureDistance(MatrixView<float> features,
                                 std::span<const std::int64_t> classes) {
  Fitted fitted = fit_any(features, classes);
  means_ = std::move(fitted.means);
  whitening_ = std::move(fitted.whitening);
}
FeatureDistance::FeatureDistance(MatrixView<double> features,
                                 std::span<const std::int64_t> classes) {
  Fitted fitted = fit_any(features, classes);
  means_ = std::move(fitted.means);
  whitening_ = std::move(fitted.whitening);
}

FeatureDistance::FeatureDistance(Matrix<double> means, Matrix<double> whitening)
    : means_(std::move(means)), whitening_(std::move(whitening)) {
  require(
      means_.rows() > 0 && means_.cols() > 0 && whitening_.rows() == means_.cols() &&
          whitening_.cols() == means_.cols(),
      "FeatureDistance: expected means of shape (classes, d) and whitening of shape (d, d), got "
      "({}, {}) and ({}, {})",
      means_.rows(), means_.cols(), whitening_.rows(), whitening_.cols());
  require(means_.allFinite() && whitening_.allFinite(),
          "FeatureDistance: expected finite means and whitening");
}

std::vector<double> FeatureDistance::distances(MatrixView<float> features) const {
  return distances_any(*this, features);
}
std::vector<double> FeatureDistance::distances(MatrixView<double> features) const {
  return distances_any(*this, features);
}

}  // namespace secondlook
