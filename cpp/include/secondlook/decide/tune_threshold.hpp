#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/decide/confusion_matrix.hpp"

namespace secondlook {

/// Measure that a threshold maximises.
enum class Objective : std::uint8_t { accuracy, f_beta, balanced_accuracy, negative_cost };
template <>
inline constexpr std::array<std::string_view, 4> names_of<Objective>{
    "accuracy", "f_beta", "balanced_accuracy", "negative_cost"};

/// What a miss (false negative) and a false alarm (false positive) cost, each at least 0.
struct ErrorCosts {
  double miss = 1;
  double false_alarm = 1;
};

template <FieldsOf<ErrorCosts> T>
void for_each_field(T& c, auto&& use) {
  use("miss", c.miss);
  use("false_alarm", c.false_alarm);
}
template <>
inline constexpr bool is_written_as_list<ErrorCosts> = true;

struct TuneThresholdParameters {
  Objective maximize = Objective::accuracy;
  double beta = 1;                                  ///< weight of recall in F-β, above 0
  ErrorCosts costs = {};                            ///< for `negative_cost`
  std::optional<double> min_recall = std::nullopt;  ///< floors, each in [0, 1]
  std::optional<double> min_precision = std::nullopt;
  std::optional<double> min_specificity = std::nullopt;
  /// If given, the exact one-sided lower bounds at this confidence (Clopper & Pearson 1934) must
  /// keep the floors, for each measure on its own. Recall and specificity are monotonic in the
  /// threshold, so choosing the threshold does not reduce their confidence; that of precision may
  /// be somewhat lower.
  std::optional<double> floor_confidence = std::nullopt;
};

template <FieldsOf<TuneThresholdParameters> T>
void for_each_field(T& p, auto&& use) {
  use("maximize", p.maximize);
  use("beta", p.beta);
  use("costs", p.costs);
  use("min_recall", p.min_recall);
  use("min_precision", p.min_precision);
  use("min_specificity", p.min_specificity);
  use("floor_confidence", p.floor_confidence);
}

struct ThresholdTuning {
  double threshold;  ///< a score at or above it is positive; infinity if nothing should be
  double objective;  ///< value of the maximised measure; for costs, the mean over cases
  ConfusionMatrix confusion;
};

/// The best threshold for labelled scores, by an exact search over every distinct score.
/// O(n log n).
///
/// Of several equally good thresholds it is the lowest, which has the fewest misses.
/// @param scores higher is more abnormal; finite
/// @param labels one per score; 1 is abnormal, 0 normal; at least one of each
/// @throws InvalidArgument otherwise, if a parameter is out of range, and if no threshold keeps the
///   floors; the message then names the threshold that comes nearest (by its lower bounds, with
///   `floor_confidence`)
[[nodiscard]] SECONDLOOK_EXPORT ThresholdTuning
tune_threshold(std::span<const double> scores, std::span<const std::uint8_t> labels,
               const TuneThresholdParameters& parameters = {});

}  // namespace secondlook
