#include "secondlook/decide/quantile_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "decide/scores.hpp"

namespace secondlook {

namespace {

// So that 0.01 · (99 + 1) is one, whatever it rounds to.
constexpr double kRounding = 1e-9;

void require_rates(double false_alarm_rate, std::optional<double> confidence) {
  require(false_alarm_rate > 0 && false_alarm_rate < 1,
          "quantile_threshold: false_alarm_rate must lie in (0, 1), got {}", false_alarm_rate);
  require(!confidence || (*confidence > 0 && *confidence < 1),
          "quantile_threshold: confidence must lie in (0, 1), got {}", confidence.value_or(0));
}

// Largest k with P(Binomial(n, rate) < k) ≤ risk: the k-th largest of n scores is exceeded more
// often than `rate` with at most that probability.
std::size_t tolerance_rank(std::size_t n, double rate, double risk) {
  const double odds = std::log(rate) - std::log1p(-rate);
  double log_mass = static_cast<double>(n) * std::log1p(-rate);
  double sum = 0;
  for (std::size_t k = 0; k < n; ++k) {
    sum += std::exp(log_mass);
    if (sum > risk) return k;
    log_mass += std::log(static_cast<double>(n - k) / static_cast<double>(k + 1)) + odds;
  }
  return n;
}

}  // namespace

double quantile_threshold(std::span<const double> scores, double false_alarm_rate,
                          std::optional<double> confidence) {
  const std::size_t needed = fewest_scores(false_alarm_rate, confidence);
  decide::require_scores("quantile_threshold", scores);
  require(scores.size() >= needed,
          "quantile_threshold: expected at least {} scores for a false-alarm rate of {}, got {}",
          needed, false_alarm_rate, scores.size());
  const std::size_t n = scores.size();
  const std::size_t rank =
      confidence ? tolerance_rank(n, false_alarm_rate, 1 - *confidence)
                 : static_cast<std::size_t>(false_alarm_rate * static_cast<double>(n + 1) *
                                            (1 + kRounding));
  // Rounding may deny the very rank that the least number of scores is there for.
  const std::size_t k = std::clamp<std::size_t>(rank, 1, n);
  std::vector<double> values(scores.begin(), scores.end());
  const auto kth = values.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::ranges::nth_element(values, kth, std::greater<>());
  // A score equal to the cut-off is an alarm; one equal to the k-th largest must be none.
  return std::nextafter(*kth, std::numeric_limits<double>::infinity());
}

std::size_t fewest_scores(double false_alarm_rate, std::optional<double> confidence) {
  require_rates(false_alarm_rate, confidence);
  const double n = confidence ? std::log1p(-*confidence) / std::log1p(-false_alarm_rate)
                              : 1 / false_alarm_rate - 1;
  const double fewest = std::ceil(n * (1 - kRounding));
  require(fewest < 1e15, "quantile_threshold: false_alarm_rate {} needs {} scores",
          false_alarm_rate, fewest);
  return std::max<std::size_t>(static_cast<std::size_t>(fewest), 1);
}

}  // namespace secondlook
