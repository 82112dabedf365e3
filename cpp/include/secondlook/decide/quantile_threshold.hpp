#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// The lowest threshold that keeps a false-alarm rate, from scores of normal samples.
///
/// The threshold is an order statistic and makes no assumption about the distribution of the
/// scores. A score at or above it is an alarm; it lies just above one of the given scores. Without
/// `confidence` the rate holds on average over calibration sets (Vovk, Gammerman & Shafer 2005:
/// just above the k-th largest score, with k = ⌊rate · (n + 1)⌋). With `confidence`, the rate of
/// the returned threshold is at most `false_alarm_rate` with that probability over calibration
/// sets, by the binomial tolerance limit (Wilks 1941). Both require exchangeable scores:
/// consecutive samples that resemble each other are worth fewer independent ones.
///
/// @param scores of normal samples, higher is more abnormal; finite
/// @param false_alarm_rate in (0, 1)
/// @param confidence in (0, 1), or none
/// @throws InvalidArgument if there are fewer scores than `fewest_scores`, or an argument is out of
///   range
[[nodiscard]] SECONDLOOK_EXPORT double quantile_threshold(
    std::span<const double> scores, double false_alarm_rate,
    std::optional<double> confidence = std::nullopt);

/// Number of scores that `quantile_threshold` needs for this rate.
/// @throws InvalidArgument if the rate or the confidence is outside (0, 1)
[[nodiscard]] SECONDLOOK_EXPORT std::size_t fewest_scores(
    double false_alarm_rate, std::optional<double> confidence = std::nullopt);

}  // namespace secondlook
