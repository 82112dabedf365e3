#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

struct SeasonalThresholdParameters {
  double false_alarm_rate = 0.01;                   ///< in every season, in (0, 1)
  std::optional<double> confidence = std::nullopt;  ///< as in `quantile_threshold`
  std::int64_t n_seasons = 24;                      ///< at least 1
  std::int64_t min_scores = 100;  ///< a season with fewer scores uses the common threshold
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
/// Each threshold is the `quantile_threshold` of its season's scores. A season with fewer scores
/// than `min_scores`, or fewer than the rate needs, uses the threshold of all scores together.
/// Immutable.
class SECONDLOOK_EXPORT SeasonalThreshold {
 public:
  /// @param scores higher is more abnormal; finite
  /// @param seasons one per score, in [0, `n_seasons`)
  /// @throws InvalidArgument if a parameter is out of range, lengths differ, or there are too few
  ///   scores in total
  SeasonalThreshold(std::span<const double> scores, std::span<const std::int64_t> seasons,
                    const SeasonalThresholdParameters& parameters = {});

  /// Threshold of a season: a score at or above it is abnormal.
  /// @throws InvalidArgument if `season` is outside [0, `n_seasons`)
  [[nodiscard]] double threshold(std::int64_t season) const;

  /// Threshold of each season.
  [[nodiscard]] const std::vector<double>& thresholds() const noexcept { return thresholds_; }
  /// Threshold of all scores together.
  [[nodiscard]] double common_threshold() const noexcept { return common_threshold_; }
  /// Number of scores of each season.
  [[nodiscard]] const std::vector<std::int64_t>& counts() const noexcept { return counts_; }

 private:
  std::vector<double> thresholds_;
  std::vector<std::int64_t> counts_;
  double common_threshold_;
};

/// Hour of the day, 0 to 23, of each time.
/// @param time_ns nanoseconds since 1970
/// @param utc_offset_minutes offset of the local clock from that of the times
[[nodiscard]] SECONDLOOK_EXPORT std::vector<std::int64_t> hours_of_day(
    std::span<const std::int64_t> time_ns, int utc_offset_minutes = 0);

}  // namespace secondlook
