#include "secondlook/detect/ensemble_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "core/validation.hpp"
#include "decide/recent_quantile.hpp"
#include "detect/ensemble/detector_ensemble_state.hpp"

namespace secondlook {

namespace {

constexpr std::size_t kMinRecent = 20;
constexpr std::size_t kMaxNamedFeatures = 3;
constexpr double kMinNamedFraction = 0.1;

bool any_missing(std::span<const double> sample) {
  return std::ranges::any_of(sample, [](double value) { return std::isnan(value); });
}

void mark_missing(EnsembleVerdict& verdict) {
  verdict = {};
  verdict.score = std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

struct EnsembleStream::State {
  State(const DetectorEnsembleParameters& p, std::size_t n_members, std::size_t n_voters)
      : recent(p.recent_window, p.recent_level),
        anomaly(n_members),
        margins(n_voters),
        sorted(n_voters) {}

  RecentQuantile recent;
  EnsembleVerdict verdict;
  // Buffers, reused for every sample.
  std::vector<double> anomaly, margins, sorted;
};

EnsembleStream::EnsembleStream(std::shared_ptr<const DetectorEnsemble> ensemble)
    : ensemble_(std::move(ensemble)) {
  require(ensemble_ != nullptr, "EnsembleStream: expected an ensemble, got none");
  ensemble_->require_fitted("DetectorEnsemble::stream");
  const auto& p = ensemble_->parameters();
  state_ = std::make_unique<State>(p, ensemble_->members_.size(), ensemble_->state_->n_voters(p));
}

EnsembleStream::~EnsembleStream() = default;
EnsembleStream::EnsembleStream(const EnsembleStream& other)
    : ensemble_(other.ensemble_), state_(std::make_unique<State>(*other.state_)) {}
EnsembleStream& EnsembleStream::operator=(const EnsembleStream& other) {
  return *this = EnsembleStream(other);
}
EnsembleStream::EnsembleStream(EnsembleStream&&) noexcept = default;
EnsembleStream& EnsembleStream::operator=(EnsembleStream&&) noexcept = default;

const EnsembleVerdict& EnsembleStream::push(std::span<const double> sample) {
  State& s = *state_;
  const MatrixView<double> row(sample.data(), 1, static_cast<Index>(sample.size()));
  require_samples("EnsembleStream::push", row, ensemble_->n_features(), Missing::allow_nan);
  if (any_missing(sample)) {
    mark_missing(s.verdict);
    return s.verdict;
  }
  const auto& members = ensemble_->state_->members;
  for (std::size_t k = 0; k < members.size(); ++k) {
    members[k]->score_samples(row, std::span(&s.anomaly[k], 1));
    s.anomaly[k] = -s.anomaly[k];
  }
  judge(s.anomaly.data(), sample.data(), s.verdict);
  return s.verdict;
}

std::vector<EnsembleVerdict> EnsembleStream::push(MatrixView<double> x) {
  const std::size_t n_features = ensemble_->n_features();
  require_samples("EnsembleStream::push", x, n_features, Missing::allow_nan);
  const auto n_rows = static_cast<std::size_t>(x.rows());
  std::vector<std::size_t> indices;
  Matrix<double> present(x.rows(), x.cols());
  for (std::size_t i = 0; i < n_rows; ++i) {
    const auto* row = x.row(static_cast<Index>(i)).data();
    if (any_missing({row, n_features})) continue;
    std::copy_n(row, n_features, present.row(static_cast<Index>(indices.size())).data());
    indices.push_back(i);
  }
  std::vector<EnsembleVerdict> verdicts(n_rows);
  for (auto& verdict : verdicts) mark_missing(verdict);
  if (indices.empty()) return verdicts;
  const auto judged =
      MatrixView<double>(present).middle_rows(0, static_cast<Index>(indices.size()));
  const auto& members = ensemble_->state_->members;
  std::vector<std::vector<double>> scores(members.size(), std::vector<double>(indices.size()));
  for (std::size_t k = 0; k < members.size(); ++k) members[k]->score_samples(judged, scores[k]);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    for (std::size_t k = 0; k < members.size(); ++k) state_->anomaly[k] = -scores[k][i];
    judge(state_->anomaly.data(), judged.row(static_cast<Index>(i)).data(), verdicts[indices[i]]);
  }
  return verdicts;
}

void EnsembleStream::judge(const double* anomaly, const double* sample, EnsembleVerdict& verdict) {
  State& s = *state_;
  const DetectorEnsemble::State& e = *ensemble_->state_;
  const auto& p = ensemble_->parameters();
  const std::size_t min_recent = std::max(kMinRecent, p.recent_window / 10);
  const double recent_level = s.recent.size() >= std::min(min_recent, p.recent_window)
                                  ? s.recent.value()
                                  : e.limits.front().recent;
  e.judge(p, anomaly, sample, recent_level, s.margins);
  std::ranges::copy(s.margins, s.sorted.begin());
  const auto deciding = s.sorted.begin() + static_cast<std::ptrdiff_t>(p.votes) - 1;
  std::ranges::nth_element(s.sorted, deciding, std::greater<>());
  verdict.score = 0 - *deciding;  // not -0.0
  verdict.votes = 0;
  for (std::size_t i = 0; i < s.margins.size(); ++i)
    if (s.margins[i] > 1) verdict.votes |= 1U << i;
  verdict.severity = grade(verdict.n_votes(), p.votes, *deciding);
  verdict.reasons.clear();
  if (anomaly[0] <= e.limits.front().limit) s.recent.push(anomaly[0]);
  if (verdict.severity != Severity::normal)
    verdict.reasons = explain(anomaly, sample, recent_level, verdict.votes);
}

// Explains a verdict: one reason per vote, and one per broken rule.
std::vector<std::string> EnsembleStream::explain(const double* anomaly, const double* sample,
                                                 double recent_level, std::uint32_t votes) const {
  const DetectorEnsemble::State& e = *ensemble_->state_;
  const auto& p = ensemble_->parameters();
  const auto name_of_feature = [&](std::size_t j) {
    return p.feature_names.empty() ? fmt::format("feature {}", j) : p.feature_names[j];
  };
  std::vector<std::string> reasons;
  // Features with the largest contributions to the first member's score. Other members are skipped:
  // the contributions of a forest take a thousand times as long as its score.
  const auto largest_contributions = [&]() -> std::string {
    std::vector<double> parts(e.scaler.n_features());
    e.members.front()->feature_contributions(
        MatrixView<double>(sample, 1, static_cast<Index>(parts.size())), parts);
    double total = 0;
    for (const double part : parts) total += std::max(part, 0.0);
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t j) { return parts[j]; });
    order.resize(std::min(order.size(), kMaxNamedFeatures));
    std::string text;
    for (const std::size_t j : order)
      if (parts[j] >= kMinNamedFraction * total && total > 0)
        text += fmt::format("{}{} {:.0f}%", text.empty() ? "" : ", ", name_of_feature(j),
                            100 * parts[j] / total);
    return text.empty() ? text : fmt::format(" ({})", text);
  };
  const std::size_t n_members = e.members.size();
  const auto votes_for = [&](std::size_t voter) { return (votes >> voter & 1U) != 0; };
  for (std::size_t k = 0; k < n_members; ++k)
    if (votes_for(k))
      reasons.push_back(fmt::format("{} {:.3g} over its limit {:.3g}{}",
                                    ensemble_->members_[k].name, anomaly[k], e.limits[k].limit,
                                    k == 0 ? largest_contributions() : ""));
  std::size_t voter = n_members;
  if (votes_for(voter++))
    reasons.push_back(fmt::format("{} {:.3g} over its recent level {:.3g}",
                                  ensemble_->members_[0].name, anomaly[0], recent_level));
  if (votes_for(voter++)) {
    std::size_t furthest = 0;
    for (std::size_t j = 1; j < e.scaler.n_features(); ++j)
      if (std::abs(e.deviation(j, sample)) > std::abs(e.deviation(furthest, sample))) furthest = j;
    const double deviation = e.deviation(furthest, sample);
    reasons.push_back(fmt::format("{} {:.1f} sigma {} its mean", name_of_feature(furthest),
                                  std::abs(deviation), deviation > 0 ? "above" : "below"));
  }
  if (votes_for(voter))
    for (const DomainRule& rule : p.rules)
      if (excess(rule, sample[rule.feature]) > 0)
        reasons.push_back(
            describe_breach(rule, sample[rule.feature], name_of_feature(rule.feature)));
  return reasons;
}

void EnsembleStream::use(std::shared_ptr<const DetectorEnsemble> ensemble) {
  require(ensemble != nullptr, "EnsembleStream::use: expected an ensemble, got none");
  ensemble->require_fitted("EnsembleStream::use");
  require(ensemble->n_features() == ensemble_->n_features(),
          "EnsembleStream::use: expected an ensemble of {} features, got {}",
          ensemble_->n_features(), ensemble->n_features());
  require(ensemble->parameters() == ensemble_->parameters() &&
              ensemble->voters() == ensemble_->voters(),
          "EnsembleStream::use: expected an ensemble with the same voters and parameters");
  ensemble_ = std::move(ensemble);
}

std::vector<double> EnsembleStream::snapshot() const { return state_->recent.samples(); }

void EnsembleStream::restore(std::span<const double> snapshot) {
  const auto& p = ensemble_->parameters();
  require(snapshot.size() <= p.recent_window,
          "EnsembleStream::restore: expected at most {} recent scores, got {}", p.recent_window,
          snapshot.size());
  for (const double score : snapshot)
    require(std::isfinite(score), "EnsembleStream::restore: expected finite scores, got {}", score);
  state_->recent = RecentQuantile(p.recent_window, p.recent_level);
  for (const double score : snapshot) state_->recent.push(score);
}

}  // namespace secondlook
