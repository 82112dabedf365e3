#include "secondlook/decide/suspicious_band.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "decide/binomial.hpp"
#include "decide/estimate_proportion.hpp"
#include "decide/labelled_scores.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook {

namespace {

using decide::CountedThreshold;
using decide::LabelledScores;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kStarts = 10;
constexpr BandThresholds kReferAll{-kInfinity, kInfinity};

void require_thresholds(double lower, double upper) {
  require(lower <= upper, "SuspiciousBand: expected lower to be at most upper, got {} and {}",
          lower, upper);
}

void require_parameters(const SuspiciousBandParameters& p) {
  const bool guaranteed = p.max_miss_rate || p.max_false_alarm_rate;
  const int n_ways =
      static_cast<int>(guaranteed) + static_cast<int>(p.max_referral_rate.has_value()) +
      static_cast<int>(p.costs.has_value()) + static_cast<int>(p.thresholds.has_value());
  require(n_ways == 1,
          "SuspiciousBand: expected exactly one of: error rates (max_miss_rate, "
          "max_false_alarm_rate), max_referral_rate, costs, thresholds; got {} of them",
          n_ways);
  for (const auto& [name, rate] : {std::pair("max_miss_rate", p.max_miss_rate),
                                   std::pair("max_false_alarm_rate", p.max_false_alarm_rate)})
    require(!rate || (*rate > 0 && *rate < 1), "SuspiciousBand: {} must lie in (0, 1), got {}",
            name, rate.value_or(0));
  require(p.confidence > 0 && p.confidence < 1,
          "SuspiciousBand: confidence must lie in (0, 1), got {}", p.confidence);
  require(!p.max_referral_rate || (*p.max_referral_rate >= 0 && *p.max_referral_rate <= 1),
          "SuspiciousBand: max_referral_rate must lie in [0, 1], got {}",
          p.max_referral_rate.value_or(0));
  if (p.costs)
    for (const double cost : {p.costs->miss, p.costs->false_alarm, p.costs->referral})
      require(cost >= 0 && std::isfinite(cost), "SuspiciousBand: costs must be at least 0, got {}",
              cost);
  if (p.thresholds) require_thresholds(p.thresholds->lower, p.thresholds->upper);
  for (std::size_t i = 0; i < p.threshold_grid.size(); ++i) {
    require(std::isfinite(p.threshold_grid[i]),
            "SuspiciousBand: expected finite values in threshold_grid, got {} at index {}",
            p.threshold_grid[i], i);
    require(i == 0 || p.threshold_grid[i] > p.threshold_grid[i - 1],
            "SuspiciousBand: expected a strictly increasing threshold_grid, got {} at index {}",
            p.threshold_grid[i], i);
  }
}

// Keeps one case of each group; every case of a group is chosen with the same probability.
void draw_one_per_group(std::vector<double>& scores, std::vector<std::uint8_t>& labels,
                        std::span<const std::int64_t> groups, std::uint64_t seed) {
  struct Drawn {
    std::size_t index;
    std::uint64_t n_seen;
  };
  std::unordered_map<std::int64_t, Drawn> drawn;
  RandomStream random(seed);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto [found, is_new] = drawn.try_emplace(groups[i], Drawn{i, 1});
    if (!is_new && random.below(++found->second.n_seen) == 0) found->second.index = i;
  }
  std::vector<std::size_t> indices;
  indices.reserve(drawn.size());
  for (const auto& [group, choice] : drawn) indices.push_back(choice.index);
  std::ranges::sort(indices);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    scores[i] = scores[indices[i]];
    labels[i] = labels[indices[i]];
  }
  scores.resize(indices.size());
  labels.resize(indices.size());
}

std::vector<CountedThreshold> all_thresholds(const LabelledScores& scores) {
  std::vector<CountedThreshold> thresholds;
  decide::for_each_threshold(
      scores, [&](const CountedThreshold& threshold) { thresholds.push_back(threshold); });
  return thresholds;
}

std::size_t below(const std::vector<double>& sorted, double cut) {
  return static_cast<std::size_t>(std::ranges::lower_bound(sorted, cut) - sorted.begin());
}

std::size_t n_below(const CountedThreshold& threshold) {
  return threshold.negatives_below + threshold.positives_below;
}

// --- rates with a guarantee
// -----------------------------------------------------------------------

// The error probability of each threshold; the thresholds share 1 − confidence.
double risk_each(const SuspiciousBandParameters& p) {
  return (1 - p.confidence) / (p.max_miss_rate && p.max_false_alarm_rate ? 2 : 1);
}

// The threshold from `low` to `high` with the fewest errors; if there are several, the lowest,
// which has the fewest misses.
double fewest_errors(const LabelledScores& scores, double low, double high) {
  double best = high;
  auto fewest = std::numeric_limits<std::size_t>::max();
  const auto consider = [&](const CountedThreshold& threshold) {
    const std::size_t errors =
        threshold.positives_below + scores.negatives.size() - threshold.negatives_below;
    if (errors >= fewest) return;
    fewest = errors;
    best = threshold.value;
  };
  consider({low, below(scores.negatives, low), below(scores.positives, low)});
  decide::for_each_threshold(scores, [&](const CountedThreshold& threshold) {
    if (threshold.value >= low && threshold.value <= high) consider(threshold);
  });
  return best;
}

BandThresholds guarantee_class_conditional(const SuspiciousBandParameters& p,
                                           const LabelledScores& scores) {
  const auto& [negatives, positives] = scores;
  BandThresholds band = kReferAll;
  if (p.max_miss_rate) {
    const std::size_t k = decide::tolerance_rank(positives.size(), *p.max_miss_rate, risk_each(p));
    if (k > 0) band.lower = positives[k - 1];
  }
  if (p.max_false_alarm_rate) {
    const std::size_t k =
        decide::tolerance_rank(negatives.size(), *p.max_false_alarm_rate, risk_each(p));
    // A score equal to the threshold is positive; one equal to the k-th largest must not be.
    if (k > 0) band.upper = std::nextafter(negatives[negatives.size() - k], kInfinity);
  }
  // With one rate there is one threshold, unless there are too few cases to decide at all.
  if (!p.max_miss_rate && band.upper < kInfinity) band.lower = band.upper;
  if (!p.max_false_alarm_rate && band.lower > -kInfinity) band.upper = band.lower;
  if (band.upper < band.lower)
    band.lower = band.upper = fewest_errors(scores, band.upper, band.lower);
  return band;
}

std::vector<double> log_odds_grid() {
  std::vector<double> grid(2001);
  for (std::size_t i = 0; i < grid.size(); ++i)
    grid[i] = 1 / (1 + std::exp(10 - static_cast<double>(i) / 100));
  return grid;
}

// Which indices of a grid, from the conservative end on, pass `test(index, risk)`. Each of the
// `kStarts` starting points adds its fraction of the risk. A test that passes hands its risk on to
// the next index, and a test that fails loses it (the fallback procedure, Wiens 2003).
template <class Test>
std::vector<char> certify(std::size_t n_thresholds, double risk, const Test& test) {
  std::vector<char> certified(n_thresholds, 0);
  double available = 0;
  std::size_t next_start = 0;
  for (std::size_t i = 0; i < n_thresholds; ++i) {
    for (; next_start < kStarts && next_start * n_thresholds / kStarts == i; ++next_start)
      available += risk / kStarts;
    if (available > 0 && test(i, available))
      certified[i] = 1;
    else
      available = 0;
  }
  return certified;
}

BandThresholds guarantee_selective(const SuspiciousBandParameters& p,
                                   const LabelledScores& scores) {
  const auto& [negatives, positives] = scores;
  const std::vector<double> grid = p.threshold_grid.empty() ? log_odds_grid() : p.threshold_grid;
  if (p.threshold_grid.empty())
    for (const auto& sorted : {negatives, positives})
      require(
          sorted.front() >= 0 && sorted.back() <= 1,
          "SuspiciousBand: expected scores in [0, 1] for the default threshold_grid, got scores "
          "from {} to {}; pass a threshold_grid chosen independently of these cases",
          sorted.front(), sorted.back());
  const std::size_t n = grid.size();
  std::vector<CountedThreshold> candidates;
  candidates.reserve(n + 1);
  for (const double cut : grid)
    candidates.push_back({cut, below(negatives, cut), below(positives, cut)});
  std::vector<char> low;
  std::vector<char> high;
  // If the true rate were no lower than `rate`, so few errors would have to be improbable.
  const auto rare = [](std::size_t errors, std::size_t decided, double rate, double risk) {
    return decided > 0 && decide::binomial_cdf(static_cast<double>(errors),
                                               static_cast<double>(decided), rate) <= risk;
  };
  if (p.max_miss_rate)
    low = certify(n, risk_each(p), [&](std::size_t i, double risk) {
      return rare(candidates[i].positives_below, n_below(candidates[i]), *p.max_miss_rate, risk);
    });
  if (p.max_false_alarm_rate) {
    const auto walked = certify(n, risk_each(p), [&](std::size_t step, double risk) {
      const CountedThreshold& candidate = candidates[n - 1 - step];
      return rare(negatives.size() - candidate.negatives_below, scores.size() - n_below(candidate),
                  *p.max_false_alarm_rate, risk);
    });
    high.assign(walked.rbegin(), walked.rend());
  }
  // With one rate there is one threshold, unless there are too few cases to decide at all.
  if (!p.max_miss_rate) low = high;
  if (!p.max_false_alarm_rate) high = low;
  // The pair of certified (or infinite) thresholds that refers the fewest cases; if there are
  // several, the one with the fewest errors.
  BandThresholds best = kReferAll;
  auto fewest = std::pair(scores.size() + 1, std::size_t{0});
  CountedThreshold lower{-kInfinity, 0, 0};  // the highest so far
  candidates.push_back({kInfinity, negatives.size(), positives.size()});
  for (std::size_t i = 0; i <= n; ++i) {
    const CountedThreshold& upper = candidates[i];
    if (i < n && low[i] != 0) lower = upper;
    if (i < n && high[i] == 0) continue;
    const auto found = std::pair(n_below(upper) - n_below(lower),
                                 lower.positives_below + negatives.size() - upper.negatives_below);
    if (found >= fewest) continue;
    fewest = found;
    best = {lower.value, upper.value};
  }
  return best;
}

// --- a budget, costs
// ------------------------------------------------------------------------------

BandThresholds within_budget(double max_referral_rate, const LabelledScores& scores) {
  constexpr double kRounding = 1e-9;  // so that 0.07 · 100 counts as 7
  const auto budget = static_cast<std::size_t>(
      max_referral_rate * static_cast<double>(scores.size()) * (1 + kRounding));
  const std::vector<CountedThreshold> thresholds = all_thresholds(scores);
  BandThresholds best = kReferAll;
  auto fewest = std::pair(std::numeric_limits<std::size_t>::max(), std::size_t{0});
  std::size_t upper = 0;
  for (const CountedThreshold& lower : thresholds) {
    while (upper + 1 < thresholds.size() &&
           n_below(thresholds[upper + 1]) - n_below(lower) <= budget)
      ++upper;
    // The lowest threshold with the same number of false alarms as the highest one in the budget.
    const std::size_t errors =
        lower.positives_below + scores.negatives.size() - thresholds[upper].negatives_below;
    const auto same = std::ranges::lower_bound(
        thresholds.begin(), thresholds.begin() + static_cast<std::ptrdiff_t>(upper),
        thresholds[upper].negatives_below, {}, &CountedThreshold::negatives_below);
    const CountedThreshold& least = same->value < lower.value ? lower : *same;
    const auto found = std::pair(errors, n_below(least) - n_below(lower));
    if (found >= fewest) continue;
    fewest = found;
    best = {lower.value, least.value};
  }
  return best;
}

BandThresholds least_cost(const ReferralCosts& costs, const LabelledScores& scores) {
  BandThresholds best = kReferAll;
  BandThresholds candidate = kReferAll;
  double least = kInfinity;
  double least_lower = kInfinity;
  decide::for_each_threshold(scores, [&](const CountedThreshold& c) {
    // The total cost is the sum of a term of the lower threshold and a term of the upper one.
    const auto cases_below = static_cast<double>(n_below(c));
    const double as_lower =
        costs.miss * static_cast<double>(c.positives_below) - costs.referral * cases_below;
    const double as_upper =
        costs.false_alarm * static_cast<double>(scores.negatives.size() - c.negatives_below) +
        costs.referral * cases_below;
    if (as_lower <= least_lower) {  // if equal, the higher one, which refers fewer cases
      least_lower = as_lower;
      candidate.lower = c.value;
    }
    if (least_lower + as_upper < least) {
      least = least_lower + as_upper;
      best = {candidate.lower, c.value};
    }
  });
  return best;
}

BandThresholds choose(const SuspiciousBandParameters& p, const LabelledScores& scores) {
  if (p.max_referral_rate) return within_budget(*p.max_referral_rate, scores);
  if (p.costs) return least_cost(*p.costs, scores);
  if (p.thresholds) return *p.thresholds;
  return p.guarantee == ErrorGuarantee::class_conditional ? guarantee_class_conditional(p, scores)
                                                          : guarantee_selective(p, scores);
}

std::int64_t fewest_needed(const SuspiciousBandParameters& p, const std::optional<double>& rate) {
  if (!rate) return 0;
  const double risk = risk_each(p) / (p.guarantee == ErrorGuarantee::selective ? kStarts : 1);
  return static_cast<std::int64_t>(std::min(decide::fewest_for_tolerance(*rate, risk), 1e18));
}

}  // namespace

SuspiciousBand::SuspiciousBand(const State& state) : state_(state) {
  require_thresholds(state.lower, state.upper);
  for (const std::int64_t count :
       {state.n_positives, state.n_negatives, state.positives_needed, state.negatives_needed})
    require(count >= 0, "SuspiciousBand: expected counts of at least 0, got {}", count);
}

SuspiciousBand::SuspiciousBand(double lower, double upper)
    : SuspiciousBand(State{.lower = lower, .upper = upper}) {}

SuspiciousBand::SuspiciousBand(std::span<const double> scores, std::span<const std::uint8_t> labels,
                               const SuspiciousBandParameters& parameters,
                               std::span<const std::int64_t> groups) {
  require_parameters(parameters);
  decide::require_labelled("SuspiciousBand", scores, labels);
  require(groups.empty() || groups.size() == scores.size(),
          "SuspiciousBand: expected one group per score ({}), got {}", scores.size(),
          groups.size());
  std::vector<double> counted(scores.begin(), scores.end());
  std::vector<std::uint8_t> counted_labels(labels.begin(), labels.end());
  if (!groups.empty()) draw_one_per_group(counted, counted_labels, groups, parameters.seed);
  const LabelledScores sorted("SuspiciousBand", counted, counted_labels);
  sorted.require_both_classes("SuspiciousBand");

  const auto [lower, upper] = choose(parameters, sorted);
  state_ = {.lower = lower,
            .upper = upper,
            .n_positives = static_cast<std::int64_t>(sorted.positives.size()),
            .n_negatives = static_cast<std::int64_t>(sorted.negatives.size()),
            .positives_needed = fewest_needed(parameters, parameters.max_miss_rate),
            .negatives_needed = fewest_needed(parameters, parameters.max_false_alarm_rate)};
}

std::vector<Decision> SuspiciousBand::decide(
    std::span<const double> scores, std::span<const std::uint8_t> out_of_distribution) const {
  decide::require_scores("SuspiciousBand::decide", scores);
  require(
      out_of_distribution.empty() || out_of_distribution.size() == scores.size(),
      "SuspiciousBand::decide: expected one value of out_of_distribution per score ({}), got {}",
      scores.size(), out_of_distribution.size());
  std::vector<Decision> decisions(scores.size());
  std::ranges::transform(scores, decisions.begin(), [this](double s) { return decide(s); });
  for (std::size_t i = 0; i < out_of_distribution.size(); ++i)
    if (out_of_distribution[i] != 0) decisions[i] = Decision::refer;
  return decisions;
}

bool holds_for_any_mixture(const SuspiciousBandParameters& p) noexcept {
  return p.guarantee == ErrorGuarantee::class_conditional && !p.max_referral_rate && !p.costs;
}

BandReport SuspiciousBand::report(std::span<const double> scores,
                                  std::span<const std::uint8_t> labels, double confidence) const {
  decide::require_labelled("SuspiciousBand::report", scores, labels);
  require(confidence > 0 && confidence < 1, "SuspiciousBand: confidence must lie in (0, 1), got {}",
          confidence);
  BandReport report{};
  for (std::size_t i = 0; i < scores.size(); ++i)
    ++report.counts[labels[i]][static_cast<std::size_t>(decide(scores[i]))];
  const auto& [normal, abnormal] = report.counts;
  const auto fraction = [&](std::int64_t part, std::int64_t whole) {
    return decide::estimate_proportion(part, whole, confidence);
  };
  const std::int64_t n_normal = normal[0] + normal[1] + normal[2];
  const std::int64_t n_abnormal = abnormal[0] + abnormal[1] + abnormal[2];
  const std::int64_t referred = normal[1] + abnormal[1];
  const std::int64_t right = normal[0] + abnormal[2];
  report.referral_rate = fraction(referred, n_normal + n_abnormal);
  report.miss_rate = fraction(abnormal[0], n_abnormal);
  report.false_alarm_rate = fraction(normal[2], n_normal);
  report.recall = fraction(abnormal[2], abnormal[0] + abnormal[2]);
  report.specificity = fraction(normal[0], normal[0] + normal[2]);
  report.precision = fraction(abnormal[2], abnormal[2] + normal[2]);
  report.negative_predictive_value = fraction(normal[0], normal[0] + abnormal[0]);
  report.accuracy = fraction(right, n_normal + n_abnormal - referred);
  return report;
}

}  // namespace secondlook
