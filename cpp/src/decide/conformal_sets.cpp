#include "secondlook/decide/conformal_sets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/validation.hpp"
#include "decide/estimate_proportion.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook {

namespace {

constexpr double kSumTolerance = 1e-3;  // of a row of probabilities

void require_parameters(const ConformalSetsParameters& p) {
  require(p.alpha > 0 && p.alpha < 1, "ConformalSets: alpha must lie in (0, 1), got {}", p.alpha);
  require(p.penalty >= 0 && std::isfinite(p.penalty),
          "ConformalSets: penalty must be at least 0, got {}", p.penalty);
  require(p.n_unpenalised >= 0, "ConformalSets: n_unpenalised must be at least 0, got {}",
          p.n_unpenalised);
}

void require_probabilities(std::string_view who, MatrixView<double> probabilities) {
  require(probabilities.rows() > 0, "{}: expected at least 1 case, got 0", who);
  require(probabilities.cols() > 1, "{}: expected probabilities of at least 2 classes, got {}", who,
          probabilities.cols());
  for (Index i = 0; i < probabilities.rows(); ++i) {
    double sum = 0;
    for (Index j = 0; j < probabilities.cols(); ++j) {
      const double p = probabilities(i, j);
      require(p >= 0 && p <= 1 + kSumTolerance,
              "{}: expected probabilities in [0, 1], got {} in row {}, column {}", who, p, i, j);
      sum += p;
    }
    require(std::abs(sum - 1) <= kSumTolerance,
            "{}: expected probabilities with the sum 1 in each row, got {} in row {}; pass "
            "predict_proba, not scores or logits",
            who, sum, i);
  }
}

void require_labels(std::string_view who, std::span<const std::int64_t> labels,
                    MatrixView<double> probabilities) {
  require(std::ssize(labels) == probabilities.rows(),
          "{}: expected one label per case ({}), got {}", who, probabilities.rows(), labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    require(labels[i] >= 0 && labels[i] < probabilities.cols(),
            "{}: expected labels from 0 to {}, got {} at index {}", who, probabilities.cols() - 1,
            labels[i], i);
}

// The number of the n + 1 cases whose score may be above the threshold. The factor is for rounding,
// so that 100 · 0.29 counts as 29.
std::int64_t n_above(std::int64_t n, double alpha) {
  constexpr double kRounding = 1e-12;
  return static_cast<std::int64_t>(
      std::floor(static_cast<double>(n + 1) * alpha * (1 + kRounding)));
}

// The ⌈(n + 1)(1 − alpha)⌉-th smallest score.
double threshold_of(std::vector<double>& scores, double alpha) {
  const auto n = std::ssize(scores);
  const auto chosen = scores.begin() + (n - n_above(n, alpha));
  std::ranges::nth_element(scores, chosen);
  return *chosen;
}

// Uniform in [0, 1), from the probabilities of a case in any order. A score that is any fixed
// function of the case keeps the cases exchangeable, so the guarantee does not need more.
double random_fraction(std::span<const double> probabilities, std::uint64_t seed) {
  std::uint64_t number = 0;
  for (const double p : probabilities)
    number += RandomStream(std::bit_cast<std::uint64_t>(p + 0.0))();  // + 0.0: −0 becomes 0
  return RandomStream(seed, number).uniform();
}

// Scores of the classes of one case after another; keeps its buffer.
class CaseScorer {
 public:
  CaseScorer(const ConformalSetsParameters& parameters, Index n_classes)
      : parameters_(parameters),
        order_(static_cast<std::size_t>(n_classes)),
        scores_(static_cast<std::size_t>(n_classes)) {}

  std::span<const double> operator()(std::span<const double> probabilities) {
    if (parameters_.method == ConformalMethod::lac)
      std::ranges::transform(probabilities, scores_.begin(), [](double p) { return 1 - p; });
    else
      score_by_sum(probabilities);
    return scores_;
  }

 private:
  void score_by_sum(std::span<const double> probabilities) {
    const auto probability = [&](std::size_t label) { return probabilities[label]; };
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::sort(order_, std::greater(), probability);
    const double fraction =
        parameters_.randomised ? random_fraction(probabilities, parameters_.seed) : 1;
    double more_probable = 0;
    for (std::size_t first = 0; first < order_.size();) {
      // Classes with the same probability get the same score.
      const double p = probability(order_[first]);
      std::size_t end = first;
      double same = 0;
      for (; end < order_.size() && probability(order_[end]) == p; ++end) same += p;
      const double score = more_probable + fraction * same + penalty(end);
      for (std::size_t i = first; i < end; ++i) scores_[order_[i]] = score;
      more_probable += same;
      first = end;
    }
  }

  [[nodiscard]] double penalty(std::size_t set_size) const {
    if (parameters_.method != ConformalMethod::raps) return 0;
    const auto excess = static_cast<std::int64_t>(set_size) - parameters_.n_unpenalised;
    return parameters_.penalty * static_cast<double>(std::max<std::int64_t>(excess, 0));
  }

  const ConformalSetsParameters& parameters_;
  std::vector<std::size_t> order_;
  std::vector<double> scores_;
};

// Number of groups, at least 1; checks that they match the cases.
Index count_groups(std::string_view who, std::span<const std::int64_t> groups, Index n_cases) {
  if (groups.empty()) return 1;
  require(std::ssize(groups) == n_cases, "{}: expected one group per case ({}), got {}", who,
          n_cases, groups.size());
  const auto [low, high] = std::ranges::minmax_element(groups);
  require(*low >= 0 && *high < n_cases, "{}: expected groups from 0 without gaps, got {}", who,
          *low < 0 ? *low : *high);
  return *high + 1;
}

void require_enough(std::int64_t n, double alpha, const std::string& whose) {
  const std::int64_t needed = fewest_for_coverage(alpha);
  require(n >= needed,
          "ConformalSets: expected at least {} calibration cases{} for alpha={}, got {}", needed,
          whose, alpha, n);
}

// The set of one case from the scores and the probabilities of its classes. The most probable class
// joins every set that may not be empty: if it joined only empty ones, sets with a threshold per
// class could lose it as alpha falls.
void fill_set(std::span<const double> scores, std::span<const double> probabilities,
              std::span<const double> thresholds, bool allow_empty, std::span<std::uint8_t> set) {
  const double always =
      allow_empty ? std::numeric_limits<double>::infinity() : std::ranges::max(probabilities);
  for (std::size_t j = 0; j < set.size(); ++j)
    set[j] = static_cast<std::uint8_t>(scores[j] <= thresholds[j] || probabilities[j] >= always);
}

std::int64_t decision_of(std::span<const std::uint8_t> set) {
  if (std::ranges::count(set, 1) != 1) return ConformalSets::refer;
  return std::ranges::find(set, 1) - set.begin();
}

struct Counts {
  std::int64_t cases = 0;
  std::int64_t covered = 0;
  std::int64_t classes = 0;
  std::int64_t decided = 0;
  std::int64_t right = 0;

  void add(std::span<const std::uint8_t> set, std::int64_t label) {
    const std::int64_t decision = decision_of(set);
    ++cases;
    covered += set[static_cast<std::size_t>(label)];
    classes += std::ranges::count(set, 1);
    decided += static_cast<std::int64_t>(decision != ConformalSets::refer);
    right += static_cast<std::int64_t>(decision == label);
  }

  [[nodiscard]] CoverageReport report(double confidence) const {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    const auto fraction = [&](std::int64_t part, std::int64_t whole) {
      return decide::estimate_proportion(part, whole, confidence);
    };
    return {.n_cases = cases,
            .coverage = fraction(covered, cases),
            .mean_set_size =
                cases == 0 ? kNaN : static_cast<double>(classes) / static_cast<double>(cases),
            .referral_rate = fraction(cases - decided, cases),
            .accuracy = fraction(right, decided)};
  }
};

std::vector<CoverageReport> reports_of(const std::vector<Counts>& counts, double confidence) {
  std::vector<CoverageReport> reports(counts.size());
  std::ranges::transform(counts, reports.begin(),
                         [&](const Counts& one) { return one.report(confidence); });
  return reports;
}

}  // namespace

std::int64_t fewest_for_coverage(double alpha) {
  require(alpha > 0 && alpha < 1, "fewest_for_coverage: alpha must lie in (0, 1), got {}", alpha);
  constexpr double kMost = 1e18;
  auto n = static_cast<std::int64_t>(std::min(std::floor(1 / alpha), kMost)) - 1;
  while (n_above(n, alpha) < 1 && static_cast<double>(n) < kMost) ++n;
  return n;
}

ConformalSets::ConformalSets(const ConformalSetsParameters& parameters, State state)
    : parameters_(parameters), state_(std::move(state)) {
  require_parameters(parameters_);
  const auto& [thresholds, counts, has_groups] = state_;
  require(thresholds.rows() > 0 && thresholds.cols() > 1 && counts.rows() == thresholds.rows() &&
              counts.cols() == thresholds.cols() && (has_groups || thresholds.rows() == 1),
          "ConformalSets: expected thresholds and n_calibration of the same shape, with at least 2 "
          "classes, and 1 row without groups; got {} × {} and {} × {}",
          thresholds.rows(), thresholds.cols(), counts.rows(), counts.cols());
  for (const double threshold : thresholds.values())
    require(std::isfinite(threshold), "ConformalSets: expected finite thresholds, got {}",
            threshold);
  for (const std::int64_t count : counts.values())
    require(count >= 0, "ConformalSets: expected counts of at least 0, got {}", count);
}

ConformalSets::ConformalSets(MatrixView<double> probabilities, std::span<const std::int64_t> labels,
                             const ConformalSetsParameters& parameters,
                             std::span<const std::int64_t> groups)
    : parameters_(parameters) {
  require_parameters(parameters_);
  require_probabilities("ConformalSets", probabilities);
  require_labels("ConformalSets", labels, probabilities);
  const Index n_groups = count_groups("ConformalSets", groups, probabilities.rows());
  const Index n_classes = probabilities.cols();
  const bool by_class = parameters_.guarantee == CoverageGuarantee::class_conditional;
  const Index n_thresholds = by_class ? n_classes : 1;  // per group
  state_.has_groups = !groups.empty();
  state_.thresholds.resize(n_groups, n_classes);
  state_.n_calibration.resize(n_groups, n_classes);

  std::vector<std::vector<double>> scores(static_cast<std::size_t>(n_groups * n_thresholds));
  CaseScorer score(parameters_, n_classes);
  for (Index i = 0; i < probabilities.rows(); ++i) {
    const auto index = static_cast<std::size_t>(i);
    const std::int64_t group = groups.empty() ? 0 : groups[index];
    const std::int64_t label = labels[index];
    ++state_.n_calibration(group, label);
    scores[static_cast<std::size_t>(group * n_thresholds + (by_class ? label : 0))].push_back(
        score(probabilities.row(i))[static_cast<std::size_t>(label)]);
  }
  for (Index group = 0; group < n_groups; ++group)
    for (Index j = 0; j < n_thresholds; ++j) {
      auto& own = scores[static_cast<std::size_t>(group * n_thresholds + j)];
      require_enough(std::ssize(own), parameters_.alpha,
                     (by_class ? fmt::format(" of class {}", j) : "") +
                         (groups.empty() ? "" : fmt::format(" of group {}", group)));
      const double threshold = threshold_of(own, parameters_.alpha);
      for (Index label = by_class ? j : 0; label < (by_class ? j + 1 : n_classes); ++label)
        state_.thresholds(group, label) = threshold;
    }
}

Matrix<std::uint8_t> ConformalSets::sets(MatrixView<double> probabilities,
                                         std::span<const std::int64_t> groups) const {
  require_probabilities("ConformalSets::sets", probabilities);
  require(probabilities.cols() == n_classes(),
          "ConformalSets::sets: expected probabilities of {} classes, got {}", n_classes(),
          probabilities.cols());
  require(state_.has_groups || groups.empty(),
          "ConformalSets::sets: expected no groups, because the sets were fitted without groups");
  require(!state_.has_groups || std::ssize(groups) == probabilities.rows(),
          "ConformalSets::sets: expected one group per case ({}), got {}", probabilities.rows(),
          groups.size());
  Matrix<std::uint8_t> sets(probabilities.rows(), n_classes());
  CaseScorer score(parameters_, n_classes());
  for (Index i = 0; i < probabilities.rows(); ++i) {
    const std::int64_t group = groups.empty() ? 0 : groups[static_cast<std::size_t>(i)];
    if (group >= 0 && group < n_groups()) {
      fill_set(score(probabilities.row(i)), probabilities.row(i), state_.thresholds.row(group),
               parameters_.allow_empty, sets.row(i));
      continue;
    }
    require(parameters_.unknown_group == UnknownGroup::refer,
            "ConformalSets::sets: expected groups from 0 to {}, got {} at index {}", n_groups() - 1,
            group, i);
    std::ranges::fill(sets.row(i), std::uint8_t{1});
  }
  return sets;
}

std::vector<std::int64_t> ConformalSets::decide(
    MatrixView<double> probabilities, std::span<const std::int64_t> groups,
    std::span<const std::uint8_t> out_of_distribution) const {
  require(out_of_distribution.empty() || std::ssize(out_of_distribution) == probabilities.rows(),
          "ConformalSets::decide: expected one value of out_of_distribution per case ({}), got {}",
          probabilities.rows(), out_of_distribution.size());
  const Matrix<std::uint8_t> found = sets(probabilities, groups);
  std::vector<std::int64_t> decisions(static_cast<std::size_t>(found.rows()));
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const bool is_known = out_of_distribution.empty() || out_of_distribution[i] == 0;
    decisions[i] = is_known ? decision_of(found.row(static_cast<Index>(i))) : refer;
  }
  return decisions;
}

ConformalSetsReport ConformalSets::report(MatrixView<double> probabilities,
                                          std::span<const std::int64_t> labels,
                                          std::span<const std::int64_t> groups,
                                          double confidence) const {
  require(confidence > 0 && confidence < 1,
          "ConformalSets::report: confidence must lie in (0, 1), got {}", confidence);
  const Matrix<std::uint8_t> found = sets(probabilities, groups);
  require_labels("ConformalSets::report", labels, probabilities);
  Counts all;
  std::vector<Counts> by_class(static_cast<std::size_t>(n_classes()));
  std::vector<Counts> by_group(state_.has_groups ? static_cast<std::size_t>(n_groups()) : 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto set = found.row(static_cast<Index>(i));
    all.add(set, labels[i]);
    by_class[static_cast<std::size_t>(labels[i])].add(set, labels[i]);
    if (!groups.empty() && groups[i] >= 0 && groups[i] < n_groups())
      by_group[static_cast<std::size_t>(groups[i])].add(set, labels[i]);
  }
  return {.all = all.report(confidence),
          .by_class = reports_of(by_class, confidence),
          .by_group = reports_of(by_group, confidence)};
}

}  // namespace secondlook
