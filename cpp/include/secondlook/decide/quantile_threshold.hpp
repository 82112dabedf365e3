#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// The least threshold that keeps a false-alarm rate, from scores of normal samples alone.
///
/// An order statistic, whatever the scores' distribution: alarms are scores at or above the
/// threshold, which lies just above one of the given scores. Without `confidence` the rate holds on
/// average over calibrations (Vovk, Gammerman & Shafer 2005: with k = ⌊rate · (n + 1)⌋, just above
/// the k-th largest). With it, this very threshold's rate is at most `false_alarm_rate` with that
/// probability over calibrations, by the binomial tolerance limit (Wilks 1941). Both need
/// exchangeable scores: of consecutive instants that resemble each other, fewer count than there
/// are.
///
/// @param scores of normal samples, higher is more abnormal; finite
/// @param false_alarm_rate in (0, 1)
/// @param confidence in (0, 1), or none
/// @throws InvalidArgument for fewer scores than `fewest_scores`, or what is said above
[[nodiscard]] SECONDLOOK_EXPORT double quantile_threshold(
    std::span<const double> scores, double false_alarm_rate,
    std::optional<double> confidence = std::nullopt);

/// As many scores `quantile_threshold` needs to promise this.
/// @throws InvalidArgument for a rate or a confidence outside (0, 1)
[[nodiscard]] SECONDLOOK_EXPORT std::size_t fewest_scores(
    double false_alarm_rate, std::optional<double> confidence = std::nullopt);

}  // namespace secondlook
