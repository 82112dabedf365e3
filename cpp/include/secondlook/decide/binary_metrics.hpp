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
  double threshold = 0.5;    ///< positive from here on
  double beta = 1;           ///< of F-β, above 0
  double confidence = 0.95;  ///< of the intervals, in (0, 1)
  /// Resamples behind the intervals that have no exact form; 0 leaves those NaN.
  std::int64_t n_bootstrap = 1000;
  std::uint64_t seed = 0;
  int n_jobs = 0;  ///< threads, as `resolve_threads` reads it; the result does not depend on it
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

/// How good scores and the decisions on them are.
///
/// Shares of counts have exact intervals (Clopper & Pearson 1934); the others, but for the
/// calibration error, the percentile interval of a bootstrap over cases (Efron 1979), of which
/// resamples without a value are left out. NaN where there is nothing to divide by.
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
  /// Mean squared error of the scores as probabilities (Brier 1950); NaN if one is none.
  Estimate brier;
  /// Mean distance of score and frequency over 15 equal bins of [0, 1], weighted by the cases in
  /// them (Naeini, Cooper & Hauskrecht 2015); NaN if a score is no probability. Noise inflates it:
  /// honest scores show some too. The interval is of the error without noise, by inverting tests
  /// over `n_bootstrap` draws of it (the low end: Bröcker & Smith 2007); it begins at 0 where
  /// honest scores could have shown as much, and is cautious.
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

/// Measures labelled scores. O(n log n), and O(n) for each resample.
///
/// @param scores higher is more abnormal; finite, at least one
/// @param labels as many; 1 is abnormal, 0 normal
/// @throws InvalidArgument otherwise, and for parameters out of range; Cancelled
[[nodiscard]] SECONDLOOK_EXPORT BinaryMetrics
binary_metrics(std::span<const double> scores, std::span<const std::uint8_t> labels,
               const BinaryMetricsParameters& parameters = {}, const Progress& progress = {});

}  // namespace secondlook
