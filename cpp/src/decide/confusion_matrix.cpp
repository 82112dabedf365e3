#include "secondlook/decide/confusion_matrix.hpp"

#include <cmath>
#include <limits>

#include "decide/labelled_scores.hpp"

namespace secondlook {

namespace {

double fraction(double part, double whole) {
  return whole > 0 ? part / whole : std::numeric_limits<double>::quiet_NaN();
}

double as_double(std::int64_t count) { return static_cast<double>(count); }

}  // namespace

std::int64_t ConfusionMatrix::total() const noexcept {
  return true_negatives + false_positives + false_negatives + true_positives;
}

double ConfusionMatrix::accuracy() const noexcept {
  return fraction(as_double(true_negatives + true_positives), as_double(total()));
}

double ConfusionMatrix::recall() const noexcept {
  return fraction(as_double(true_positives), as_double(true_positives + false_negatives));
}

double ConfusionMatrix::specificity() const noexcept {
  return fraction(as_double(true_negatives), as_double(true_negatives + false_positives));
}

double ConfusionMatrix::precision() const noexcept {
  return fraction(as_double(true_positives), as_double(true_positives + false_positives));
}

double ConfusionMatrix::f_beta(double beta) const noexcept {
  const double hits = (1 + beta * beta) * as_double(true_positives);
  return fraction(hits,
                  hits + beta * beta * as_double(false_negatives) + as_double(false_positives));
}

double ConfusionMatrix::balanced_accuracy() const noexcept {
  return (recall() + specificity()) / 2;
}

double ConfusionMatrix::matthews() const noexcept {
  const double tn = as_double(true_negatives);
  const double fp = as_double(false_positives);
  const double fn = as_double(false_negatives);
  const double tp = as_double(true_positives);
  return fraction(tp * tn - fp * fn, std::sqrt(tp + fp) * std::sqrt(tp + fn) * std::sqrt(tn + fp) *
                                         std::sqrt(tn + fn));
}

ConfusionMatrix confusion_matrix(std::span<const double> scores,
                                 std::span<const std::uint8_t> labels, double threshold) {
  decide::require_labelled("confusion_matrix", scores, labels);
  require(!std::isnan(threshold), "confusion_matrix: expected a threshold, got {}", threshold);
  ConfusionMatrix counts;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] >= threshold)
      ++(labels[i] != 0 ? counts.true_positives : counts.false_positives);
    else
      ++(labels[i] != 0 ? counts.false_negatives : counts.true_negatives);
  }
  return counts;
}

}  // namespace secondlook
