#include "secondlook/decide/quantile_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "decide/binomial.hpp"
#include "decide/scores.hpp"

namespace secondlook {

namespace {

// So that 0.01 · (99 + 1) counts as 1 despite rounding.
constexpr double kRounding = 1e-9;

void require_rates(double false_alarm_rate, std::optional<double> confidence) {
  require(false_alarm_rate > 0 && false_alarm_rate < 1,
          "quantile_threshold: false_alarm_rate must lie in (0, 1), got {}", false_alarm_rate);
  require(!confidence || (*confidence > 0 && *confidence < 1),
          "quantile_threshold: confidence must lie in (0, 1), got {}", confidence.value_or(0));
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
      confidence ? decide::tolerance_rank(n, false_alarm_rate, 1 - *confidence)
                 : static_cast<std::size_t>(false_alarm_rate * static_cast<double>(n + 1) *
                                            (1 + kRounding));
  // With exactly the required number of scores, rounding may turn rank 1 into 0.
  const std::size_t k = std::clamp<std::size_t>(rank, 1, n);
  std::vector<double> values(scores.begin(), scores.end());
  const auto kth = values.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::ranges::nth_element(values, kth, std::greater<>());
  // A score equal to the threshold is an alarm; one equal to the k-th largest must not be.
  return std::nextafter(*kth, std::numeric_limits<double>::infinity());
}

std::size_t fewest_scores(double false_alarm_rate, std::optional<double> confidence) {
  require_rates(false_alarm_rate, confidence);
  const double fewest = confidence ? decide::fewest_for_tolerance(false_alarm_rate, 1 - *confidence)
                                   : std::ceil((1 / false_alarm_rate - 1) * (1 - kRounding));
  require(fewest < 1e15, "quantile_threshold: false_alarm_rate {} needs {} scores",
          false_alarm_rate, fewest);
  return std::max<std::size_t>(static_cast<std::size_t>(fewest), 1);
}

}  // namespace secondlook
