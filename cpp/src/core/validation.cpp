#include "core/validation.hpp"

#include <cmath>

namespace secondlook {

namespace {

// A finite value times zero is zero, any other is NaN, so finite values need no branch.
template <class Scalar>
bool run_is_finite(const Scalar* row, Index n) {
  constexpr Index kLanes = 8;
  Scalar sums[kLanes] = {};
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (Index lane = 0; lane < kLanes; ++lane) sums[lane] += row[i + lane] * Scalar(0);
  Scalar sum = 0;
  for (; i < n; ++i) sum += row[i] * Scalar(0);
  for (const Scalar lane_sum : sums) sum += lane_sum;
  return sum == 0;
}

// Contiguous rows are checked as one long row, which saves the overhead per row.
template <class Scalar>
struct Runs {
  explicit Runs(MatrixView<Scalar> x)
      : contiguous(x.row_stride() == x.cols()),
        count(contiguous ? 1 : x.rows()),
        length(contiguous ? x.rows() * x.cols() : x.cols()) {}

  bool contiguous;
  Index count;
  Index length;
};

}  // namespace

template <class Scalar>
bool all_finite(MatrixView<Scalar> x) {
  const Runs<Scalar> runs(x);
  for (Index run = 0; run < runs.count; ++run)
    if (!run_is_finite(x.row(run).data(), runs.length)) return false;
  return true;
}

template <class Scalar>
void require_samples(std::string_view who, MatrixView<Scalar> x, Missing missing) {
  require_sample_shape(who, x);
  const Runs<Scalar> runs(x);
  for (Index run = 0; run < runs.count; ++run) {
    const Scalar* values = x.row(run).data();
    if (run_is_finite(values, runs.length)) continue;
    for (Index i = 0; i < runs.length; ++i) {
      const Scalar value = values[i];
      if (std::isfinite(value) || (std::isnan(value) && missing == Missing::allow_nan)) continue;
      const Index row = runs.contiguous ? i / x.cols() : run;
      require(false, "{}: expected finite values, got {} in row {}, column {}", who,
              std::isnan(value) ? "NaN" : "infinity", row, i % x.cols());
    }
  }
}

template SECONDLOOK_EXPORT bool all_finite(MatrixView<float>);
template SECONDLOOK_EXPORT bool all_finite(MatrixView<double>);
template SECONDLOOK_EXPORT void require_samples(std::string_view, MatrixView<float>, Missing);
template SECONDLOOK_EXPORT void require_samples(std::string_view, MatrixView<double>, Missing);

}  // namespace secondlook
