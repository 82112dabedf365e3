#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/decide/binary_metrics.hpp"

namespace secondlook {

/// What becomes of a case.
enum class Decision : std::uint8_t {
  negative,
  refer,
  positive,
  unknown  ///< there was no score
};
template <>
inline constexpr std::array<std::string_view, 4> names_of<Decision>{"negative", "refer", "positive",
                                                                    "unknown"};

/// Which error rates a band bounds.
enum class ErrorGuarantee : std::uint8_t {
  class_conditional,  ///< P(decided negative | positive) and P(decided positive | negative)
  selective,          ///< P(positive | decided negative) and P(negative | decided positive)
};
template <>
inline constexpr std::array<std::string_view, 2> names_of<ErrorGuarantee>{"class_conditional",
                                                                          "selective"};
template <>
inline constexpr std::array<EarlierName, 2> earlier_names_of<ErrorGuarantee>{
    {{"each_class", "class_conditional"}, {"decided", "selective"}}};

/// What a miss, a false alarm and a referral cost, each at least 0.
struct ReferralCosts {
  double miss = 0;
  double false_alarm = 0;
  double referral = 0;
};

template <FieldsOf<ReferralCosts> T>
void for_each_field(T& r, auto&& use) {
  use("miss", r.miss);
  use("false_alarm", r.false_alarm);
  use("referral", r.referral);
}
template <>
inline constexpr bool is_written_as_list<ReferralCosts> = true;

/// Two thresholds.
struct BandThresholds {
  double lower = 0;  ///< at most `upper`; −∞ and ∞ are allowed, NaN is not
  double upper = 0;
};

template <FieldsOf<BandThresholds> T>
void for_each_field(T& c, auto&& use) {
  use("lower", c.lower);
  use("upper", c.upper);
}
template <>
inline constexpr bool is_written_as_list<BandThresholds> = true;

/// One of four: rates with a guarantee, a budget of referrals, costs, or thresholds by hand.
struct SuspiciousBandParameters {
  std::optional<double> max_miss_rate = std::nullopt;         ///< in (0, 1)
  std::optional<double> max_false_alarm_rate = std::nullopt;  ///< in (0, 1)
  double confidence = 0.95;  ///< with which all rates given hold at once, in (0, 1)
  ErrorGuarantee guarantee = ErrorGuarantee::class_conditional;
  /// Rising finite thresholds that do not depend on the calibration cases, along which
  /// `ErrorGuarantee::selective` tests; empty: 2,001 of them, equally spaced in log-odds from −10
  /// to 10, for probabilities.
  std::vector<double> threshold_grid = {};
  std::optional<double> max_referral_rate = std::nullopt;  ///< of all cases, in [0, 1]
  std::optional<ReferralCosts> costs = std::nullopt;
  std::uint64_t seed = 0;                                   ///< of the draw of one case a group
  std::optional<BandThresholds> thresholds = std::nullopt;  ///< by hand: the cases are only counted
};

template <FieldsOf<SuspiciousBandParameters> T>
void for_each_field(T& p, auto&& use) {
  use("max_miss_rate", p.max_miss_rate);
  use("max_false_alarm_rate", p.max_false_alarm_rate);
  use("confidence", p.confidence);
  use("guarantee", p.guarantee);
  use("threshold_grid", p.threshold_grid);
  use("max_referral_rate", p.max_referral_rate);
  use("costs", p.costs);
  use("seed", p.seed);
  use("thresholds", p.thresholds);
}
template <>
inline constexpr std::array<EarlierName, 3> earlier_names_of<SuspiciousBandParameters>{
    {{"among", "guarantee"}, {"path", "threshold_grid"}, {"cut_offs", "thresholds"}}};

/// Whether what a band was chosen for holds for any mixture of the classes: a different fraction of
/// abnormal cases is then no drift.
[[nodiscard]] SECONDLOOK_EXPORT bool holds_for_any_mixture(
    const SuspiciousBandParameters& parameters) noexcept;

/// What a band made of labelled cases, with exact intervals (Clopper & Pearson 1934). NaN where
/// there is nothing to divide by.
struct BandReport {
  /// By what a case is (normal, abnormal) and what was decided (negative, refer, positive).
  std::array<std::array<std::int64_t, 3>, 2> counts;
  Estimate referral_rate;              ///< referred / all
  Estimate miss_rate;                  ///< decided negative / abnormal
  Estimate false_alarm_rate;           ///< decided positive / normal
  Estimate recall;                     ///< decided positive / abnormal that were decided
  Estimate specificity;                ///< decided negative / normal that were decided
  Estimate precision;                  ///< abnormal / decided positive
  Estimate negative_predictive_value;  ///< normal / decided negative
  Estimate accuracy;                   ///< decided rightly / decided
};

template <FieldsOf<BandReport> T>
void for_each_field(T& b, auto&& use) {
  use("counts", b.counts);
  use("referral_rate", b.referral_rate);
  use("miss_rate", b.miss_rate);
  use("false_alarm_rate", b.false_alarm_rate);
  use("recall", b.recall);
  use("specificity", b.specificity);
  use("precision", b.precision);
  use("negative_predictive_value", b.negative_predictive_value);
  use("accuracy", b.accuracy);
}

/// Two thresholds: from `upper` on a case is decided positive, below `lower` negative, and between
/// them a person takes a second look.
///
/// **Rates with a guarantee** (`ErrorGuarantee::class_conditional`): with probability `confidence`
/// over calibrations, both at once, no more than `max_miss_rate` of the abnormal are decided
/// negative and no more than `max_false_alarm_rate` of the normal positive; a referral is neither
/// error. Each threshold is an order statistic with an exact binomial bound (Wilks 1941) at half
/// the remaining probability, whatever the scores' distribution; of all bands that these bounds
/// allow it is the one that refers least. If the two cross, one threshold between them serves both,
/// the one with the fewest errors, and nothing is referred. With one rate given there is one
/// threshold, unless the cases are too few to decide anything.
///
/// `ErrorGuarantee::selective` bounds the error rates among the cases decided instead, by
/// Learn-then-Test (Angelopoulos et al. 2021): tests along a grid of thresholds fixed beforehand,
/// at ten places of which a tenth of a threshold's fraction of the remaining probability comes in
/// and is handed on for as long as tests pass (Wiens 2003). Of bands that refer equally little it
/// is the one with the fewest errors. These rates hold for cases of the calibration's mixture of
/// classes; those of each class hold for any mixture.
///
/// **A budget**: at most `max_referral_rate` of the calibration's cases are referred, with the
/// fewest errors. **Costs**: the least sum of costs over the calibration's cases (Chow 1970,
/// without a model of the probabilities). Neither is a promise about other cases.
///
/// Immutable but for assignment; safe to use from several threads.
class SECONDLOOK_EXPORT SuspiciousBand {
 public:
  /// All that a band is, as the functions of these names say it.
  struct State {
    double lower;
    double upper;
    std::int64_t n_positives = 0;
    std::int64_t n_negatives = 0;
    std::int64_t positives_needed = 0;
    std::int64_t negatives_needed = 0;
  };

  /// As it was.
  /// @throws InvalidArgument for a state that no band has
  explicit SuspiciousBand(const State& state);

  /// By hand.
  /// @param lower at most `upper`; −∞ and ∞ are allowed, NaN is not
  /// @throws InvalidArgument otherwise
  SuspiciousBand(double lower, double upper);

  /// Chooses the thresholds on labelled cases that no detector was trained on. O(n log n).
  ///
  /// Where the cases are too few for a guarantee, one threshold or both are infinite, so that all
  /// in doubt is referred; `positives_needed` and `negatives_needed` say how many would do.
  /// @param scores higher is more abnormal; finite
  /// @param labels as many; 1 is abnormal, 0 normal; some of both
  /// @param groups as many, or none: cases of one number (a patient, a module) are not independent,
  ///   so one of them, drawn by `seed`, is counted
  /// @throws InvalidArgument otherwise, and for parameters out of range
  SuspiciousBand(std::span<const double> scores, std::span<const std::uint8_t> labels,
                 const SuspiciousBandParameters& parameters,
                 std::span<const std::int64_t> groups = {});

  [[nodiscard]] const State& state() const noexcept { return state_; }
  [[nodiscard]] double lower() const noexcept { return state_.lower; }
  [[nodiscard]] double upper() const noexcept { return state_.upper; }

  [[nodiscard]] Decision decide(double score) const noexcept {
    if (score >= state_.upper) return Decision::positive;
    return score < state_.lower ? Decision::negative : Decision::refer;
  }

  /// @param out_of_distribution one per score, or none: where not 0, the case is unlike the
  /// training data and
  ///   referred, whatever its score
  /// @throws InvalidArgument for no scores, scores that are not finite, and another number of
  ///   `out_of_distribution`
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution = {}) const;

  /// What this band makes of labelled cases: others than those it was chosen on, for an honest
  /// account.
  /// @param confidence of the intervals, in (0, 1)
  /// @throws InvalidArgument as the constructor
  [[nodiscard]] BandReport report(std::span<const double> scores,
                                  std::span<const std::uint8_t> labels,
                                  double confidence = 0.95) const;

  /// Cases counted, one a group.
  [[nodiscard]] std::int64_t n_positives() const noexcept { return state_.n_positives; }
  [[nodiscard]] std::int64_t n_negatives() const noexcept { return state_.n_negatives; }

  /// Fewest positive cases for which `max_miss_rate` lets anything be decided negative, if
  /// none of them scores low; 0 where no such rate was asked. `ErrorGuarantee::selective` says it
  /// of the cases decided negative, and of the positive ones below.
  [[nodiscard]] std::int64_t positives_needed() const noexcept { return state_.positives_needed; }
  /// The same of negative cases for `max_false_alarm_rate`.
  [[nodiscard]] std::int64_t negatives_needed() const noexcept { return state_.negatives_needed; }

 private:
  State state_;
};

template <FieldsOf<SuspiciousBand::State> T>
void for_each_field(T& s, auto&& use) {
  use("lower", s.lower);
  use("upper", s.upper);
  use("n_positives", s.n_positives);
  use("n_negatives", s.n_negatives);
  use("positives_needed", s.positives_needed);
  use("negatives_needed", s.negatives_needed);
}

}  // namespace secondlook
