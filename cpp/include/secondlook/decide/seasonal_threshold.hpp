#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

struct SeasonalThresholdParameters {
  double false_alarm_rate = 0.01;                   ///< in (0, 1), in every season
  std::optional<double> confidence = std::nullopt;  ///< as `quantile_threshold` takes it
  std::int64_t n_seasons = 24;                      ///< at least 1
  std::int64_t min_scores = 100;  ///< a season of fewer takes the common threshold
};

template <FieldsOf<SeasonalThresholdParameters> T>
void for_each_field(T& p, auto&& use) {
  use("false_alarm_rate", p.false_alarm_rate);
  use("confidence", p.confidence);
  use("n_seasons", p.n_seasons);
  use("min_scores", p.min_scores);
}

/// A threshold for each season, such as the hour of the day, from scores of normal samples.
///
/// Each is the `quantile_threshold` of its season's scores. Where a season has fewer than
/// `min_scores`, or than the rate can be promised from, the one of all scores serves. Immutable.
class SECONDLOOK_EXPORT SeasonalThreshold {
 public:
  /// @param scores higher is more abnormal; finite
  /// @param seasons of each score, from 0 up to, not including, `n_seasons`
  /// @throws InvalidArgument when a parameter is out of range, lengths differ, or all scores
  ///   together are too few
  SeasonalThreshold(std::span<const double> scores, std::span<const std::int64_t> seasons,
                    const SeasonalThresholdParameters& parameters = {});

  /// The threshold in a season: a score at or above it is abnormal.
  /// @throws InvalidArgument for a season that is none
  [[nodiscard]] double threshold(std::int64_t season) const;

  /// The threshold of each season.
  [[nodiscard]] const std::vector<double>& thresholds() const noexcept { return thresholds_; }
  /// The threshold of all scores together.
  [[nodiscard]] double common_threshold() const noexcept { return common_threshold_; }
  /// How many scores each season had.
  [[nodiscard]] const std::vector<std::int64_t>& counts() const noexcept { return counts_; }

 private:
  std::vector<double> thresholds_;
  std::vector<std::int64_t> counts_;
  double common_threshold_;
};

/// Hour of the day, 0 to 23, of each time.
/// @param time_ns nanoseconds since 1970
/// @param utc_offset_minutes of the clock whose hours are meant, against that of the times
[[nodiscard]] SECONDLOOK_EXPORT std::vector<std::int64_t> hours_of_day(
    std::span<const std::int64_t> time_ns, int utc_offset_minutes = 0);

}  // namespace secondlook
