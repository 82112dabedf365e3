#include "secondlook/decide/tune_threshold.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "decide/binomial.hpp"
#include "decide/labelled_scores.hpp"

namespace secondlook {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void require_parameters(const TuneThresholdParameters& p) {
  require(p.beta > 0 && std::isfinite(p.beta), "tune_threshold: beta must be above 0, got {}",
          p.beta);
  for (const double cost : {p.costs.miss, p.costs.false_alarm})
    require(cost >= 0 && std::isfinite(cost), "tune_threshold: costs must be at least 0, got {}",
            cost);
  for (const auto& floor : {p.min_recall, p.min_precision, p.min_specificity})
    require(!floor || (*floor >= 0 && *floor <= 1),
            "tune_threshold: floors must lie in [0, 1], got {}", floor.value_or(0));
  require(!p.floor_confidence || (*p.floor_confidence > 0 && *p.floor_confidence < 1),
          "tune_threshold: floor_confidence must lie in (0, 1), got {}",
          p.floor_confidence.value_or(0));
}

double objective_of(const TuneThresholdParameters& p, const ConfusionMatrix& counts) {
  switch (p.maximize) {
    case Objective::accuracy:
      return counts.accuracy();
    case Objective::f_beta:
      return counts.f_beta(p.beta);
    case Objective::balanced_accuracy:
      return counts.balanced_accuracy();
    case Objective::negative_cost:
      return -(p.costs.miss * static_cast<double>(counts.false_negatives) +
               p.costs.false_alarm * static_cast<double>(counts.false_positives)) /
             static_cast<double>(counts.total());
  }
  throw InvalidArgument("tune_threshold: unknown objective");
}

// Equal fractions of different counts may differ by rounding, but are equally good.
bool better(double objective, double than) {
  return objective - than > 4 * std::numeric_limits<double>::epsilon() * std::abs(objective);
}

// Whether the fraction k / n keeps a floor, at a confidence if one is given.
bool keeps(const std::optional<double>& floor, std::int64_t k, std::int64_t n,
           const std::optional<double>& confidence) {
  if (!floor) return true;
  if (n == 0) return false;
  const auto successes = static_cast<double>(k);
  const auto trials = static_cast<double>(n);
  if (!confidence) return successes / trials >= *floor;
  // The lower bound is at least the floor if k or more successes would be rare for a true fraction
  // equal to the floor. The tolerance makes a tail of exactly 1 − confidence count as rare.
  constexpr double kRounding = 1e-12;
  return 1 - decide::binomial_cdf(successes - 1, trials, *floor) <= 1 - *confidence + kRounding;
}

struct Floor {
  const char* name;
  std::optional<double> least;
  std::int64_t part;
  std::int64_t whole;
};

std::array<Floor, 3> floors_of(const TuneThresholdParameters& p, const ConfusionMatrix& c) {
  return {
      {{"recall", p.min_recall, c.true_positives, c.true_positives + c.false_negatives},
       {"specificity", p.min_specificity, c.true_negatives, c.true_negatives + c.false_positives},
       {"precision", p.min_precision, c.true_positives, c.true_positives + c.false_positives}}};
}

// Whether the counts keep all floors, raised by `margin`.
bool keeps_floors(const TuneThresholdParameters& p, const ConfusionMatrix& c, double margin = 0) {
  return std::ranges::all_of(floors_of(p, c), [&](const Floor& floor) {
    const auto least = floor.least ? std::optional(*floor.least + margin) : std::nullopt;
    return keeps(least, floor.part, floor.whole, p.floor_confidence);
  });
}

// The largest floor that k / n keeps: the fraction itself, or its exact lower confidence bound.
double largest_floor(std::int64_t k, std::int64_t n, const std::optional<double>& confidence) {
  if (n == 0) return -kInfinity;
  if (!confidence) return static_cast<double>(k) / static_cast<double>(n);
  double low = 0;
  double high = 1;
  constexpr int kHalvings = 30;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (keeps(middle, k, n, confidence) ? low : high) = middle;
  }
  return low;
}

// Smallest difference between a measure and its floor.
double smallest_margin(const TuneThresholdParameters& p, const ConfusionMatrix& c,
                       const std::optional<double>& confidence) {
  double margin = kInfinity;
  for (const Floor& floor : floors_of(p, c))
    if (floor.least)
      margin = std::min(margin, largest_floor(floor.part, floor.whole, confidence) - *floor.least);
  return margin;
}

template <class Use>
void for_each_decision(const decide::LabelledScores& scores, const Use& use) {
  const auto n = static_cast<std::int64_t>(scores.negatives.size());
  const auto p = static_cast<std::int64_t>(scores.positives.size());
  decide::for_each_threshold(scores, [&](const decide::CountedThreshold& threshold) {
    const auto below_n = static_cast<std::int64_t>(threshold.negatives_below);
    const auto below_p = static_cast<std::int64_t>(threshold.positives_below);
    use(threshold.value, ConfusionMatrix{below_n, n - below_n, below_p, p - below_p});
  });
}

[[noreturn]] void refuse_floors(const TuneThresholdParameters& p,
                                const decide::LabelledScores& scores) {
  // Computing a bound takes a search, but comparing it with a value takes one step. So start from
  // the margin at the best fractions, which is close to the largest one.
  ConfusionMatrix counts;
  double margin = -kInfinity;
  for_each_decision(scores, [&](double, const ConfusionMatrix& c) {
    const double found = smallest_margin(p, c, std::nullopt);
    if (found > margin) {
      margin = found;
      counts = c;
    }
  });
  constexpr double kBelow = 1e-8;  // so that the first of several equal thresholds is reported
  margin = smallest_margin(p, counts, p.floor_confidence) - kBelow;
  double nearest = kInfinity;
  for_each_decision(scores, [&](double value, const ConfusionMatrix& c) {
    if (!keeps_floors(p, c, margin)) return;
    const double found = smallest_margin(p, c, p.floor_confidence);
    if (found > margin) {
      margin = found;
      nearest = value;
      counts = c;
    }
  });
  std::string wanted;
  std::string came;
  for (const Floor& floor : floors_of(p, counts)) {
    if (!floor.least) continue;
    const char* comma = wanted.empty() ? "" : ", ";
    const double fraction = largest_floor(floor.part, floor.whole, std::nullopt);
    wanted += fmt::format("{}{} of at least {}", comma, floor.name, *floor.least);
    came += fmt::format("{}{} {:.4g}", comma, floor.name, fraction);
    if (p.floor_confidence)
      came += fmt::format(" (at least {:.4g})",
                          largest_floor(floor.part, floor.whole, p.floor_confidence));
  }
  if (p.floor_confidence) wanted += fmt::format(", at a confidence of {}", *p.floor_confidence);
  throw InvalidArgument(fmt::format("tune_threshold: no threshold has {}; the nearest, {}, has {}",
                                    wanted, nearest, came));
}

}  // namespace

ThresholdTuning tune_threshold(std::span<const double> scores, std::span<const std::uint8_t> labels,
                               const TuneThresholdParameters& parameters) {
  require_parameters(parameters);
  const decide::LabelledScores sorted("tune_threshold", scores, labels);
  sorted.require_both_classes("tune_threshold");
  ThresholdTuning best{kInfinity, -kInfinity, {}};
  for_each_decision(sorted, [&](double value, const ConfusionMatrix& counts) {
    const double objective = objective_of(parameters, counts);
    // Floors are checked last: with a confidence they cost more than the objective.
    if (better(objective, best.objective) && keeps_floors(parameters, counts))
      best = {value, objective, counts};
  });
  if (best.objective == -kInfinity) refuse_floors(parameters, sorted);
  return best;
}

}  // namespace secondlook
