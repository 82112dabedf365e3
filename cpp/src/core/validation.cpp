#include "core/validation.hpp"

#include <cmath>

namespace secondlook {

namespace {

// A finite value times zero is zero, any other is NaN: clean values cost no branch.
template <class Scalar>
bool all_finite(const Scalar* row, Eigen::Index n) {
  constexpr Eigen::Index kLanes = 8;
  Scalar sums[kLanes] = {};
  Eigen::Index i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (Eigen::Index lane = 0; lane < kLanes; ++lane) sums[lane] += row[i + lane] * Scalar(0);
  Scalar sum = 0;
  for (; i < n; ++i) sum += row[i] * Scalar(0);
  for (const Scalar lane_sum : sums) sum += lane_sum;
  return sum == 0;
}

}  // namespace

template <class Scalar>
void require_samples(std::string_view who, MatrixView<Scalar> x, Missing missing) {
  require(x.rows() > 0, "{}: expected at least 1 sample, got 0", who);
  require(x.cols() > 0, "{}: expected at least 1 feature, got 0", who);
  // Contiguous rows are looked at as one long one: short rows would pay the loop's ends each time.
  const bool contiguous = x.row_stride() == x.cols();
  const Eigen::Index n_runs = contiguous ? 1 : x.rows();
  const Eigen::Index run_length = contiguous ? x.rows() * x.cols() : x.cols();
  for (Eigen::Index run = 0; run < n_runs; ++run) {
    const Scalar* values = x.row(run);
    if (all_finite(values, run_length)) continue;
    for (Eigen::Index i = 0; i < run_length; ++i) {
      const Scalar value = values[i];
      if (std::isfinite(value) || (std::isnan(value) && missing == Missing::allow_nan)) continue;
      const Eigen::Index row = contiguous ? i / x.cols() : run;
      require(false, "{}: expected finite values, got {} in row {}, column {}", who,
              std::isnan(value) ? "NaN" : "infinity", row, i % x.cols());
    }
  }
}

template SECONDLOOK_EXPORT void require_samples(std::string_view, MatrixView<float>, Missing);
template SECONDLOOK_EXPORT void require_samples(std::string_view, MatrixView<double>, Missing);

}  // namespace secondlook
