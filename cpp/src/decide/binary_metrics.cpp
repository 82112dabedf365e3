#include "secondlook/decide/binary_metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/quantile.hpp"
#include "decide/calibration_error.hpp"
#include "decide/estimate_proportion.hpp"
#include "decide/labelled_scores.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Measures without an exact interval.
enum Measure : std::size_t {
  kFBeta,
  kBalancedAccuracy,
  kMatthews,
  kRocAuc,
  kAveragePrecision,
  kBrier,
  kMeasures
};
using Measures = std::array<double, kMeasures>;

// The cases in decreasing order of score. A resample is given by how often each case was drawn, so
// it is measured in one pass.
class RankedCases {
 public:
  RankedCases(std::span<const double> scores, std::span<const std::uint8_t> labels,
              const BinaryMetricsParameters& parameters)
      : parameters_(parameters) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    for (const std::size_t i : order) {
      scores_.push_back(scores[i]);
      positive_.push_back(labels[i] != 0);
    }
    probabilities_ = scores_.front() <= 1 && scores_.back() >= 0;
  }

  [[nodiscard]] std::size_t size() const noexcept { return scores_.size(); }

  // Counts every case as often as `times` says.
  [[nodiscard]] Measures measure(std::span<const std::uint32_t> times) const {
    ConfusionMatrix counts;
    double twice_pairs = 0;
    double precision_sum = 0;
    double positives = 0;
    double negatives = 0;
    double squares = 0;
    for (std::size_t i = 0; i < size();) {
      const double score = scores_[i];
      double tied_positives = 0;
      double tied_negatives = 0;
      for (; i < size() && scores_[i] == score; ++i)
        (positive_[i] ? tied_positives : tied_negatives) += times[i];
      twice_pairs += tied_negatives * (2 * positives + tied_positives);
      positives += tied_positives;
      negatives += tied_negatives;
      if (tied_positives > 0) precision_sum += tied_positives * positives / (positives + negatives);
      if (score >= parameters_.threshold) {
        counts.true_positives += static_cast<std::int64_t>(tied_positives);
        counts.false_positives += static_cast<std::int64_t>(tied_negatives);
      }
      squares += tied_positives * (1 - score) * (1 - score) + tied_negatives * score * score;
    }
    counts.false_negatives = static_cast<std::int64_t>(positives) - counts.true_positives;
    counts.true_negatives = static_cast<std::int64_t>(negatives) - counts.false_positives;
    const bool both = positives > 0 && negatives > 0;
    return {counts.f_beta(parameters_.beta),
            counts.balanced_accuracy(),
            counts.matthews(),
            both ? twice_pairs / (2 * positives * negatives) : kNaN,
            both ? precision_sum / positives : kNaN,
            probabilities_ ? squares / (positives + negatives) : kNaN};
  }

 private:
  BinaryMetricsParameters parameters_;
  std::vector<double> scores_;
  std::vector<char> positive_;
  bool probabilities_ = false;
};

Interval percentile_interval(std::vector<double> values, double confidence) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {kNaN, kNaN};
  return {quantile(values, (1 - confidence) / 2), quantile(values, (1 + confidence) / 2)};
}

std::vector<Measures> bootstrap(const RankedCases& cases, const BinaryMetricsParameters& p,
                                const Progress& progress) {
  std::vector<Measures> resampled(static_cast<std::size_t>(p.n_bootstrap));
  parallel_for(
      resampled.size(), 1, resolve_threads(p.n_jobs),
      [&](std::size_t begin, std::size_t end) {
        std::vector<std::uint32_t> times(cases.size());
        for (std::size_t b = begin; b < end; ++b) {
          std::ranges::fill(times, 0U);
          RandomStream random(p.seed, b);
          for (std::size_t i = 0; i < cases.size(); ++i) ++times[random.below(cases.size())];
          resampled[b] = cases.measure(times);
        }
      },
      progress);
  return resampled;
}

}  // namespace

BinaryMetrics binary_metrics(std::span<const double> scores, std::span<const std::uint8_t> labels,
                             const BinaryMetricsParameters& p, const Progress& progress) {
  decide::require_labelled("binary_metrics", scores, labels);
  require(!std::isnan(p.threshold), "binary_metrics: expected a threshold, got {}", p.threshold);
  require(p.beta > 0 && std::isfinite(p.beta), "binary_metrics: beta must be above 0, got {}",
          p.beta);
  require(p.confidence > 0 && p.confidence < 1,
          "binary_metrics: confidence must lie in (0, 1), got {}", p.confidence);
  require(p.n_bootstrap >= 0, "binary_metrics: n_bootstrap must be at least 0, got {}",
          p.n_bootstrap);

  const RankedCases cases(scores, labels, p);
  const Measures values = cases.measure(std::vector<std::uint32_t>(scores.size(), 1));
  const std::vector<Measures> resampled = bootstrap(cases, p, progress);
  const auto estimate = [&](Measure measure) -> Estimate {
    std::vector<double> column(resampled.size());
    std::ranges::transform(resampled, column.begin(),
                           [&](const Measures& all) { return all[measure]; });
    return {values[measure], percentile_interval(std::move(column), p.confidence)};
  };
  const auto fraction = [&](std::int64_t part, std::int64_t whole) {
    return decide::estimate_proportion(part, whole, p.confidence);
  };
  const ConfusionMatrix c = confusion_matrix(scores, labels, p.threshold);
  return {.confusion = c,
          .accuracy = fraction(c.true_positives + c.true_negatives, c.total()),
          .recall = fraction(c.true_positives, c.true_positives + c.false_negatives),
          .precision = fraction(c.true_positives, c.true_positives + c.false_positives),
          .specificity = fraction(c.true_negatives, c.true_negatives + c.false_positives),
          .f_beta = estimate(kFBeta),
          .balanced_accuracy = estimate(kBalancedAccuracy),
          .matthews = estimate(kMatthews),
          .roc_auc = estimate(kRocAuc),
          .average_precision = estimate(kAveragePrecision),
          .brier = estimate(kBrier),
          .expected_calibration_error =
              decide::calibration_error(scores, labels, p.confidence, p.n_bootstrap, p.seed)};
}

}  // namespace secondlook
