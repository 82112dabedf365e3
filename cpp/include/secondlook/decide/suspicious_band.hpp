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

/// Decision on a case.
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

/// Exactly one of four: rates with a guarantee, a referral budget, costs, or given thresholds.
struct SuspiciousBandParameters {
  std::optional<double> max_miss_rate = std::nullopt;         ///< in (0, 1)
  std::optional<double> max_false_alarm_rate = std::nullopt;  ///< in (0, 1)
  double confidence = 0.95;  ///< probability that all given rates hold at once, in (0, 1)
  ErrorGuarantee guarantee = ErrorGuarantee::class_conditional;
  /// Strictly increasing finite thresholds that do not depend on the calibration cases, at which
  /// `ErrorGuarantee::selective` tests. Empty: 2,001 probabilities, equally spaced in log-odds from
  /// −10 to 10.
  std::vector<double> threshold_grid = {};
  std::optional<double> max_referral_rate = std::nullopt;  ///< fraction of all cases, in [0, 1]
  std::optional<ReferralCosts> costs = std::nullopt;
  std::uint64_t seed = 0;  ///< of the random choice of one case per group
  /// Given thresholds; the cases are only counted.
  std::optional<BandThresholds> thresholds = std::nullopt;
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

/// Whether the guarantee of a band holds for any mixture of the classes, so that a different
/// fraction of abnormal cases is not a drift.
[[nodiscard]] SECONDLOOK_EXPORT bool holds_for_any_mixture(
    const SuspiciousBandParameters& parameters) noexcept;

/// Results of a band on labelled cases, with exact intervals (Clopper & Pearson 1934). NaN where
/// there is nothing to divide by.
struct BandReport {
  /// By true class (normal, abnormal) and decision (negative, refer, positive).
  std::array<std::array<std::int64_t, 3>, 2> counts;
  Estimate referral_rate;              ///< referred / all
  Estimate miss_rate;                  ///< abnormal decided negative / abnormal
  Estimate false_alarm_rate;           ///< normal decided positive / normal
  Estimate recall;                     ///< abnormal decided positive / abnormal decided
  Estimate specificity;                ///< normal decided negative / normal decided
  Estimate precision;                  ///< abnormal decided positive / decided positive
  Estimate negative_predictive_value;  ///< normal decided negative / decided negative
  Estimate accuracy;                   ///< decided correctly / decided
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

/// Two thresholds: a case is decided positive at or above `upper`, negative below `lower`, and in
/// between a person takes a second look.
///
/// **Rates with a guarantee** (`ErrorGuarantee::class_conditional`): with probability `confidence`
/// over calibration sets, both at once, at most `max_miss_rate` of the abnormal cases are decided
/// negative and at most `max_false_alarm_rate` of the normal ones positive. A referral is not an
/// error. Each threshold is an order statistic with an exact binomial bound (Wilks 1941) at half of
/// the remaining probability and makes no assumption about the distribution of the scores. Among
/// all bands that these bounds allow, it is the one that refers the fewest cases. If the two
/// thresholds cross, the one between them with the fewest errors serves both, and nothing is
/// referred. With only one rate there is one threshold, unless there are too few cases to decide
/// anything.
///
/// `ErrorGuarantee::selective` bounds the error rates among the decided cases instead, by
/// Learn-then-Test (Angelopoulos et al. 2021): it tests along a grid of thresholds fixed
/// beforehand. The remaining probability of a side enters at ten points of the grid, a tenth each,
/// and is passed on for as long as tests succeed (Wiens 2003). Among bands that refer the fewest
/// cases, it is the one with the fewest errors. These rates hold for cases with the class mixture
/// of the calibration set; class-conditional rates hold for any mixture.
///
/// **A budget**: at most `max_referral_rate` of the calibration cases are referred, with the fewest
/// errors. **Costs**: the lowest total cost over the calibration cases (Chow 1970, without a model
/// of the probabilities). Neither is a guarantee for other cases.
///
/// Immutable except for assignment; safe to use from several threads.
class SECONDLOOK_EXPORT SuspiciousBand {
 public:
  /// Plain snapshot of a band; the fields match the accessors below.
  struct State {
    double lower;
    double upper;
    std::int64_t n_positives = 0;
    std::int64_t n_negatives = 0;
    std::int64_t positives_needed = 0;
    std::int64_t negatives_needed = 0;
  };

  /// Restores a band from a saved state.
  /// @throws InvalidArgument if the state is inconsistent
  explicit SuspiciousBand(const State& state);

  /// Band with given thresholds.
  /// @param lower at most `upper`; −∞ and ∞ are allowed, NaN is not
  /// @throws InvalidArgument otherwise
  SuspiciousBand(double lower, double upper);

  /// Chooses the thresholds on labelled cases that no detector was trained on. O(n log n).
  ///
  /// If there are too few cases for a guarantee, one or both thresholds are infinite, so that every
  /// uncertain case is referred; `positives_needed` and `negatives_needed` say how many it takes.
  /// @param scores higher is more abnormal; finite
  /// @param labels one per score; 1 is abnormal, 0 normal; at least one of each
  /// @param groups one per score, or empty. Cases of one group (a patient, a module) are not
  ///   independent, so only one of them counts, chosen at random with `seed`
  /// @throws InvalidArgument otherwise, and if a parameter is out of range
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

  /// @param out_of_distribution one per score, or empty; cases with a value other than 0 are
  ///   referred, whatever their score
  /// @throws InvalidArgument if there is no score, one is not finite, or `out_of_distribution` has
  ///   another length
  [[nodiscard]] std::vector<Decision> decide(
      std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution = {}) const;

  /// Evaluates the band on labelled cases, which should not be those it was chosen on.
  /// @param confidence of the intervals, in (0, 1)
  /// @throws InvalidArgument as the constructor
  [[nodiscard]] BandReport report(std::span<const double> scores,
                                  std::span<const std::uint8_t> labels,
                                  double confidence = 0.95) const;

  /// Number of cases of each class, counting one per group.
  [[nodiscard]] std::int64_t n_positives() const noexcept { return state_.n_positives; }
  [[nodiscard]] std::int64_t n_negatives() const noexcept { return state_.n_negatives; }

  /// Smallest number of positive cases with which `max_miss_rate` allows negative decisions, if
  /// none of these cases scores low; 0 without `max_miss_rate`. With `ErrorGuarantee::selective`,
  /// the smallest number of cases decided negative.
  [[nodiscard]] std::int64_t positives_needed() const noexcept { return state_.positives_needed; }
  /// The same for negative cases and `max_false_alarm_rate` (with `selective`, for cases decided
  /// positive).
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
