#include "secondlook/decide/conformal_p_values.hpp"

#include <algorithm>
#include <cmath>

#include "decide/scores.hpp"

namespace secondlook {

namespace {

std::vector<double> marginal(std::size_t n) {
  std::vector<double> p(n + 1);
  for (std::size_t count = 0; count <= n; ++count)
    p[count] = static_cast<double>(count + 1) / static_cast<double>(n + 1);
  return p;
}

// With probability `confidence`, the i-th smallest of n uniform variables is at most b_i for every
// i, where b_{n+1−i} = 1 − (risk · i(i−1)…(i−k+1) / (n(n−1)…(n−k+1)))^(1/k). The probability that a
// normal sample lies above the i-th largest calibration score is such a variable.
std::vector<double> calibration_conditional(std::size_t n, double confidence) {
  const double k = std::floor(static_cast<double>(n) / 2);
  std::vector<double> p(n + 1, 1.0);
  double log_bound = std::log1p(-confidence) / k;
  for (std::size_t count = 0; count < n; ++count) {
    p[count] = -std::expm1(log_bound);
    const auto i = static_cast<double>(n - count);
    if (i <= k) break;
    log_bound += std::log((i - k) / i) / k;
  }
  return p;
}

}  // namespace

ConformalPValues::ConformalPValues(std::span<const double> calibration,
                                   std::optional<double> confidence)
    : calibration_(calibration.begin(), calibration.end()), confidence_(confidence) {
  decide::require_scores("ConformalPValues", calibration);
  require(!confidence || (*confidence > 0 && *confidence < 1),
          "ConformalPValues: confidence must lie in (0, 1), got {}", confidence.value_or(0));
  require(!confidence || calibration.size() >= 2,
          "ConformalPValues: expected at least 2 calibration scores with a confidence, got {}",
          calibration.size());
  std::ranges::sort(calibration_);
  by_count_ = confidence ? calibration_conditional(calibration_.size(), *confidence)
                         : marginal(calibration_.size());
}

std::vector<double> ConformalPValues::p_values(std::span<const double> scores) const {
  decide::require_scores("ConformalPValues::p_values", scores);
  std::vector<double> p(scores.size());
  std::ranges::transform(scores, p.begin(), [&](double score) {
    const auto first_as_large = std::ranges::lower_bound(calibration_, score);
    return by_count_[static_cast<std::size_t>(calibration_.end() - first_as_large)];
  });
  return p;
}

}  // namespace secondlook
