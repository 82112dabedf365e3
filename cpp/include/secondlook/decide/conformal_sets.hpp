#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/decide/binomial_interval.hpp"

namespace secondlook {

/// Score by which a class is kept in a set; a lower score is more plausible.
enum class ConformalMethod : std::uint8_t {
  /// 1 − its probability (Sadinle, Lei & Wasserman 2019): the smallest sets on average.
  lac,
  /// The probability of all classes that are more probable, and a random fraction of its own
  /// (Romano, Sesia & Candès 2020): larger sets where the probabilities are uncertain.
  aps,
  /// As `aps`, with a penalty per class of a large set (Angelopoulos et al. 2021).
  raps,
};
template <>
inline constexpr std::array<std::string_view, 3> names_of<ConformalMethod>{"lac", "aps", "raps"};

/// For which cases P(the set contains the true class) ≥ 1 − alpha.
enum class CoverageGuarantee : std::uint8_t {
  marginal,           ///< on average over all cases (of a group)
  class_conditional,  ///< for the cases of each class (of a group), by one threshold per class
};
template <>
inline constexpr std::array<std::string_view, 2> names_of<CoverageGuarantee>{"marginal",
                                                                             "class_conditional"};

/// What happens to a case whose group had no calibration cases.
enum class UnknownGroup : std::uint8_t {
  error,
  refer,  ///< its set contains all classes
};
template <>
inline constexpr std::array<std::string_view, 2> names_of<UnknownGroup>{"error", "refer"};

struct ConformalSetsParameters {
  double alpha = 0.1;  ///< largest probability that the true class is not in the set, in (0, 1)
  ConformalMethod method = ConformalMethod::lac;
  CoverageGuarantee guarantee = CoverageGuarantee::marginal;
  /// Whether a set may contain no class. Otherwise, the most probable class is in every set.
  bool allow_empty = false;
  /// Whether `aps` and `raps` count a random fraction of the probability of a class. Otherwise they
  /// count all of it, and the sets are larger than necessary.
  bool randomised = true;
  double penalty = 0.01;           ///< λ of `raps`, at least 0
  std::int64_t n_unpenalised = 5;  ///< k_reg of `raps`: size of a set without a penalty, at least 0
  UnknownGroup unknown_group = UnknownGroup::error;
  std::uint64_t seed = 0;  ///< of the random fractions
};

template <FieldsOf<ConformalSetsParameters> T>
void for_each_field(T& p, auto&& use) {
  use("alpha", p.alpha);
  use("method", p.method);
  use("guarantee", p.guarantee);
  use("allow_empty", p.allow_empty);
  use("randomised", p.randomised);
  use("penalty", p.penalty);
  use("n_unpenalised", p.n_unpenalised);
  use("unknown_group", p.unknown_group);
  use("seed", p.seed);
}

/// Results of sets on some labelled cases, with exact intervals (Clopper & Pearson 1934). NaN where
/// there is nothing to divide by.
struct CoverageReport {
  std::int64_t n_cases = 0;
  Estimate coverage;         ///< cases whose set contains the true class / cases
  double mean_set_size = 0;  ///< classes per set
  Estimate referral_rate;    ///< referred / cases
  Estimate accuracy;         ///< decided correctly / decided
};

template <FieldsOf<CoverageReport> T>
void for_each_field(T& r, auto&& use) {
  use("n_cases", r.n_cases);
  use("coverage", r.coverage);
  use("mean_set_size", r.mean_set_size);
  use("referral_rate", r.referral_rate);
  use("accuracy", r.accuracy);
}

/// Results of all cases, by true class, and by group (empty if fitted without groups; cases of
/// unknown groups count only in `all` and `by_class`).
struct ConformalSetsReport {
  CoverageReport all;
  std::vector<CoverageReport> by_class;
  std::vector<CoverageReport> by_group;
};

template <FieldsOf<ConformalSetsReport> T>
void for_each_field(T& r, auto&& use) {
  use("all", r.all);
  use("by_class", r.by_class);
  use("by_group", r.by_group);
}

/// Fewest calibration cases for which `alpha` allows sets that do not contain every class:
/// ⌈1 / alpha⌉ − 1. With n cases, the threshold is the ⌈(n + 1)(1 − alpha)⌉-th smallest of their
/// scores, and this is at most n if and only if n ≥ 1 / alpha − 1.
/// @param alpha in (0, 1)
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT std::int64_t fewest_for_coverage(double alpha);

/// Sets of classes that contain the true one with probability at least 1 − alpha, from the
/// probabilities of any classifier (split conformal prediction, Vovk 2012).
///
/// A class is in the set if its score (`ConformalMethod`) is at most a threshold: the
/// ⌈(n + 1)(1 − alpha)⌉-th smallest score of the true classes of n calibration cases. The guarantee
/// makes no assumption about the probabilities. It requires that a new case is exchangeable with
/// the calibration cases, and holds on average over calibration sets. There is one threshold for
/// all cases, or one per class, per group (Mondrian conformal prediction), or per both: then the
/// guarantee holds for each of them.
///
/// If a set contains exactly one class, the case is decided; otherwise it is referred. Hence at
/// most alpha of all cases are decided wrongly. An empty set is referred, too: no class fits as
/// well as the true classes of calibration cases do.
///
/// The random fraction of a case is computed from its probabilities and the seed, so it does not
/// depend on other cases or the order of classes. Classes with equal probabilities have equal
/// scores.
///
/// Immutable except for assignment; safe to use from several threads.
class SECONDLOOK_EXPORT ConformalSets {
 public:
  /// Decision of a case that is referred.
  static constexpr std::int64_t refer = -1;

  /// Plain snapshot; one row per group (one if fitted without groups) and one column per class.
  struct State {
    Matrix<double> thresholds;
    Matrix<std::int64_t> n_calibration;  ///< cases of each group and class
    bool has_groups = false;
  };

  /// Restores sets from a saved state.
  /// @throws InvalidArgument if the state is inconsistent
  ConformalSets(const ConformalSetsParameters& parameters, State state);

  /// Chooses the thresholds on labelled cases that the classifier was not trained on.
  /// O(n k log k + n log n) for n cases and k classes.
  /// @param probabilities one row per case and one column per class, at least two; in [0, 1], each
  ///   row with the sum 1 within 1e-3
  /// @param labels one per case: the column of its true class
  /// @param groups one per case, from 0 without gaps, or empty
  /// @throws InvalidArgument otherwise, if a parameter is out of range, or if there are fewer than
  ///   `fewest_for_coverage` cases, in each class or group that has a threshold of its own
  ConformalSets(MatrixView<double> probabilities, std::span<const std::int64_t> labels,
                const ConformalSetsParameters& parameters,
                std::span<const std::int64_t> groups = {});

  [[nodiscard]] const ConformalSetsParameters& parameters() const noexcept { return parameters_; }
  [[nodiscard]] const State& state() const noexcept { return state_; }
  [[nodiscard]] Index n_classes() const noexcept { return state_.thresholds.cols(); }
  [[nodiscard]] Index n_groups() const noexcept { return state_.thresholds.rows(); }

  /// Set of each case: 1 for a class in the set, otherwise 0.
  /// @param groups one per case if fitted with groups, otherwise empty; a group that had no
  ///   calibration cases is an error, or its cases get all classes (`UnknownGroup`)
  /// @throws InvalidArgument if the arguments do not match the calibration
  [[nodiscard]] Matrix<std::uint8_t> sets(MatrixView<double> probabilities,
                                          std::span<const std::int64_t> groups = {}) const;

  /// The class of each case whose set has exactly one, otherwise `refer`.
  /// @param out_of_distribution one per case, or empty; cases with a value other than 0 are
  ///   referred
  /// @throws InvalidArgument as `sets`
  [[nodiscard]] std::vector<std::int64_t> decide(
      MatrixView<double> probabilities, std::span<const std::int64_t> groups = {},
      std::span<const std::uint8_t> out_of_distribution = {}) const;

  /// Evaluates the sets on labelled cases, which should not be those they were fitted on.
  /// @param confidence of the intervals, in (0, 1)
  /// @throws InvalidArgument as the constructor and `sets`
  [[nodiscard]] ConformalSetsReport report(MatrixView<double> probabilities,
                                           std::span<const std::int64_t> labels,
                                           std::span<const std::int64_t> groups = {},
                                           double confidence = 0.95) const;

 private:
  ConformalSetsParameters parameters_;
  State state_;
};

template <FieldsOf<ConformalSets::State> T>
void for_each_field(T& s, auto&& use) {
  use("thresholds", s.thresholds);
  use("n_calibration", s.n_calibration);
  use("has_groups", s.has_groups);
}

}  // namespace secondlook
