#pragma once

#include <cstdint>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/progress.hpp"
#include "secondlook/decide/binomial_interval.hpp"
#include "secondlook/decide/confusion_matrix.hpp"

namespace secondlook {

struct BinaryMetricsParameters {
  double threshold = 0.5;    ///< a score at or above it is positive
  double beta = 1;           ///< weight of recall in F-β, above 0
  double confidence = 0.95;  ///< confidence level of the intervals, in (0, 1)
  /// Number of resamples for the intervals that have no exact form; with 0 these are NaN.
  std::int64_t n_bootstrap = 1000;
  std::uint64_t seed = 0;
  int n_jobs = 0;  ///< number of threads, see `resolve_threads`; does not affect the result
};

template <FieldsOf<BinaryMetricsParameters> T>
void for_each_field(T& p, auto&& use) {
  use("threshold", p.threshold);
  use("beta", p.beta);
  use("confidence", p.confidence);
  use("n_bootstrap", p.n_bootstrap);
  use("seed", p.seed);
  use("n_jobs", p.n_jobs);
}

/// Quality of scores and of the decisions made on them.
///
/// Fractions of counts have exact intervals (Clopper & Pearson 1934). The other metrics, except the
/// calibration error, have percentile intervals of a bootstrap over cases (Efron 1979), without the
/// resamples in which the metric is undefined. NaN where there is nothing to divide by.
struct BinaryMetrics {
  ConfusionMatrix confusion;
  Estimate accuracy;
  Estimate recall;
  Estimate precision;
  Estimate specificity;
  Estimate f_beta;
  Estimate balanced_accuracy;
  Estimate matthews;
  Estimate roc_auc;            ///< see `RocCurve::area`
  Estimate average_precision;  ///< see `PrecisionRecallCurve::area`
  /// Mean squared error of the scores as probabilities (Brier 1950); NaN if a score is outside
  /// [0, 1].
  Estimate brier;
  /// Mean distance between score and frequency over 15 equal bins of [0, 1], weighted by the number
  /// of cases in them (Naeini, Cooper & Hauskrecht 2015); NaN if a score is outside [0, 1]. Noise
  /// inflates it: perfectly calibrated scores show some error, too. The interval is for the error
  /// without noise, by inverting tests on `n_bootstrap` simulations of the noise (its low end:
  /// Bröcker & Smith 2007). It starts at 0 if calibrated scores could have shown as much, and is
  /// conservative.
  Estimate expected_calibration_error;
};

template <FieldsOf<BinaryMetrics> T>
void for_each_field(T& b, auto&& use) {
  use("confusion", b.confusion);
  use("accuracy", b.accuracy);
  use("recall", b.recall);
  use("precision", b.precision);
  use("specificity", b.specificity);
  use("f_beta", b.f_beta);
  use("balanced_accuracy", b.balanced_accuracy);
  use("matthews", b.matthews);
  use("roc_auc", b.roc_auc);
  use("average_precision", b.average_precision);
  use("brier", b.brier);
  use("expected_calibration_error", b.expected_calibration_error);
}

/// Computes metrics of labelled scores. O(n log n), and O(n) for each resample.
///
/// @param scores higher is more abnormal; finite, at least one
/// @param labels one per score; 1 is abnormal, 0 normal
/// @throws InvalidArgument otherwise, and if a parameter is out of range
/// @throws Cancelled if `progress` asks to stop
[[nodiscard]] SECONDLOOK_EXPORT BinaryMetrics
binary_metrics(std::span<const double> scores, std::span<const std::uint8_t> labels,
               const BinaryMetricsParameters& parameters = {}, const Progress& progress = {});

}  // namespace secondlook
