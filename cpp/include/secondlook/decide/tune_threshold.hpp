#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/decide/confusion_matrix.hpp"

namespace secondlook {

/// What a threshold is to make as large as it can.
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
  double beta = 1;                                  ///< of F-β, above 0
  ErrorCosts costs = {};                            ///< for `negative_cost`
  std::optional<double> min_recall = std::nullopt;  ///< floors, each in [0, 1]
  std::optional<double> min_precision = std::nullopt;
  std::optional<double> min_specificity = std::nullopt;
  /// Floors then hold for the exact lower bound of this confidence (Clopper & Pearson 1934), one
  /// side and one measure at a time: for recall and specificity, which go one way with the
  /// threshold, choosing it costs nothing of that confidence; for precision it may cost some.
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
  double threshold;  ///< positive from here on; infinity where nothing should be
  double objective;  ///< what was made as large as it can be; the mean over cases for costs
  ConfusionMatrix confusion;
};

/// The best threshold of labelled scores, exact over every distinct score. O(n log n).
///
/// Of thresholds that are equally good the lowest, which misses least, is taken.
/// @param scores higher is more abnormal; finite
/// @param labels as many; 1 is abnormal, 0 normal; some of both
/// @throws InvalidArgument otherwise, for parameters out of range, and where no threshold keeps the
///   floors: the message names the one that comes nearest, at a confidence by its lower bounds
[[nodiscard]] SECONDLOOK_EXPORT ThresholdTuning
tune_threshold(std::span<const double> scores, std::span<const std::uint8_t> labels,
               const TuneThresholdParameters& parameters = {});

}  // namespace secondlook
