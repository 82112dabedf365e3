#include "secondlook/decide/seasonal_threshold.hpp"

#include <algorithm>

#include "decide/scores.hpp"
#include "secondlook/decide/quantile_threshold.hpp"

namespace secondlook {

namespace {

constexpr std::int64_t kMostSeasons = 1'000'000;  // more is a mistake, and would exhaust memory

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

SeasonalThreshold::SeasonalThreshold(std::span<const double> scores,
                                     std::span<const std::int64_t> seasons,
                                     const SeasonalThresholdParameters& parameters) {
  const std::int64_t n_seasons = parameters.n_seasons;
  require(n_seasons >= 1 && n_seasons <= kMostSeasons,
          "SeasonalThreshold: n_seasons must lie in [1, {}], got {}", kMostSeasons, n_seasons);
  require(parameters.min_scores >= 0, "SeasonalThreshold: min_scores must be at least 0, got {}",
          parameters.min_scores);
  require(seasons.size() == scores.size(),
          "SeasonalThreshold: expected one season per score ({}), got {}", scores.size(),
          seasons.size());
  common_threshold_ =
      quantile_threshold(scores, parameters.false_alarm_rate, parameters.confidence);
  std::vector<std::vector<double>> by_season(static_cast<std::size_t>(n_seasons));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    require(seasons[i] >= 0 && seasons[i] < n_seasons,
            "SeasonalThreshold: expected seasons from 0 to {}, got {} at index {}", n_seasons - 1,
            seasons[i], i);
    by_season[static_cast<std::size_t>(seasons[i])].push_back(scores[i]);
  }
  const std::size_t fewest =
      std::max(static_cast<std::size_t>(parameters.min_scores),
               fewest_scores(parameters.false_alarm_rate, parameters.confidence));
  for (const auto& own : by_season) {
    counts_.push_back(std::ssize(own));
    thresholds_.push_back(own.size() < fewest ? common_threshold_
                                              : quantile_threshold(own, parameters.false_alarm_rate,
                                                                   parameters.confidence));
  }
}

double SeasonalThreshold::threshold(std::int64_t season) const {
  require(season >= 0 && season < std::ssize(thresholds_),
          "SeasonalThreshold::threshold: expected a season from 0 to {}, got {}",
          thresholds_.size() - 1, season);
  return thresholds_[static_cast<std::size_t>(season)];
}

std::vector<std::int64_t> hours_of_day(std::span<const std::int64_t> time_ns,
                                       int utc_offset_minutes) {
  constexpr std::int64_t kMinute = 60'000'000'000;
  std::vector<std::int64_t> hours(time_ns.size());
  std::ranges::transform(time_ns, hours.begin(), [&](std::int64_t time) {
    const std::int64_t hour = floor_divide(floor_divide(time, kMinute) + utc_offset_minutes, 60);
    return hour - 24 * floor_divide(hour, 24);
  });
  return hours;
}

}  // namespace secondlook
