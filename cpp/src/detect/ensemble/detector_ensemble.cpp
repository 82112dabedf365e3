#include "secondlook/detect/detector_ensemble.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "core/quantile.hpp"
#include "core/validation.hpp"
#include "detect/ensemble/detector_ensemble_state.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/eigen.hpp"

namespace secondlook {

namespace {

constexpr std::size_t kMaxMembers = 16;
constexpr double kOffset = -1;

std::vector<EnsembleMember> default_members() {
  return {{"autoencoder", std::make_shared<Autoencoder>()},
          {"isolation_forest", std::make_shared<IsolationForest>()}};
}

template <class Scalar>
std::vector<double> anomaly_scores(const Detector& detector, MatrixView<Scalar> x) {
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  detector.score_samples(x, scores);
  for (double& score : scores) score = -score;
  return scores;
}

template <class Scalar>
std::vector<std::vector<double>> anomaly_scores(
    std::span<const std::shared_ptr<const Detector>> members, MatrixView<Scalar> x) {
  std::vector<std::vector<double>> scores;
  scores.reserve(members.size());
  for (const auto& member : members) scores.push_back(anomaly_scores(*member, x));
  return scores;
}

// Progress of step `i` of `n` steps of equal length.
Progress part_of(const Progress& whole, std::size_t i, std::size_t n) {
  if (!whole) return {};
  return [&whole, i, n](std::size_t done, std::size_t total) {
    return whole(i * total + done, n * total);
  };
}

// Means and standard deviations of earlier and new rows together, weighted by their numbers.
template <class Scalar>
Scaler merged(const Scaler& earlier, double n_earlier, MatrixView<Scalar> fresh) {
  const double fraction =
      static_cast<double>(fresh.rows()) / (n_earlier + static_cast<double>(fresh.rows()));
  std::vector<double> mean(earlier.mean().begin(), earlier.mean().end());
  std::vector<double> scale(earlier.scale().begin(), earlier.scale().end());
  for (std::size_t j = 0; j < mean.size(); ++j) {
    const auto column = as_eigen(fresh).col(static_cast<Index>(j)).template cast<double>().array();
    const double fresh_mean = column.mean();
    const double fresh_variance = (column - fresh_mean).square().mean();
    const double difference = fresh_mean - mean[j];
    mean[j] += fraction * difference;
    scale[j] = std::sqrt((1 - fraction) * scale[j] * scale[j] + fraction * fresh_variance +
                         fraction * (1 - fraction) * difference * difference);
  }
  return {std::move(mean), std::move(scale)};
}

}  // namespace

std::size_t EnsembleVerdict::n_votes() const noexcept {
  return static_cast<std::size_t>(std::popcount(votes));
}

DetectorEnsemble::DetectorEnsemble() : DetectorEnsemble(default_members()) {}

DetectorEnsemble::DetectorEnsemble(std::vector<EnsembleMember> members,
                                   DetectorEnsembleParameters parameters)
    : parameters_(std::move(parameters)),
      members_(std::move(members)),
      state_(std::make_unique<State>()) {
  const auto& p = parameters_;
  require(!members_.empty() && members_.size() <= kMaxMembers,
          "DetectorEnsemble: expected 1 to {} members, got {}", kMaxMembers, members_.size());
  std::set<std::string> names;
  for (const auto& [name, detector] : members_) {
    require(!name.empty(), "DetectorEnsemble: expected non-empty member names, got an empty one");
    require(names.insert(name).second,
            "DetectorEnsemble: expected distinct member names, got '{}' twice", name);
    require(detector != nullptr, "DetectorEnsemble: expected a detector for member {}, got none",
            name);
    require(dynamic_cast<const DetectorEnsemble*>(detector.get()) == nullptr,
            "DetectorEnsemble: expected detectors as members, got an ensemble for {}", name);
    require(!detector->ordered(),
            "DetectorEnsemble: expected members that score each row independently, got {}, which "
            "needs the preceding rows",
            name);
  }
  const auto all = voters();
  require(
      std::set<std::string>(all.begin(), all.end()).size() == all.size(),
      "DetectorEnsemble: expected member names that differ from the other voters' names, got {}",
      fmt::join(all, ", "));
  require(p.votes >= 1 && p.votes <= all.size(),
          "DetectorEnsemble: votes must lie in [1, {}] (the number of voters), got {}", all.size(),
          p.votes);
  require(p.n_sigma > 0 && std::isfinite(p.n_sigma),
          "DetectorEnsemble: n_sigma must be above 0, got {}", p.n_sigma);
  require(p.recent_level > 0 && p.recent_level < 1,
          "DetectorEnsemble: recent_level must lie in (0, 1), got {}", p.recent_level);
  require(p.recent_window >= 1 && p.recent_window <= 65536,
          "DetectorEnsemble: recent_window must lie in [1, 65536], got {}", p.recent_window);
  require(p.limit_level > 0.5 && p.limit_level < 1,
          "DetectorEnsemble: limit_level must lie in (0.5, 1), got {}", p.limit_level);
  Detector::set_feature_names(p.feature_names);
}

DetectorEnsemble::~DetectorEnsemble() = default;
DetectorEnsemble::DetectorEnsemble(const DetectorEnsemble& other)
    : Detector(other),
      parameters_(other.parameters_),
      members_(other.members_),
      state_(std::make_unique<State>(*other.state_)) {}
DetectorEnsemble& DetectorEnsemble::operator=(const DetectorEnsemble& other) {
  return *this = DetectorEnsemble(other);
}
DetectorEnsemble::DetectorEnsemble(DetectorEnsemble&&) noexcept = default;
DetectorEnsemble& DetectorEnsemble::operator=(DetectorEnsemble&&) noexcept = default;

void DetectorEnsemble::set_feature_names(std::vector<std::string> names) {
  Detector::set_feature_names(names);
  parameters_.feature_names = std::move(names);
}

std::unique_ptr<Detector> DetectorEnsemble::clone() const {
  return std::make_unique<DetectorEnsemble>(*this);
}

double DetectorEnsemble::offset() const {
  require_fitted("DetectorEnsemble::offset");
  return kOffset;
}
bool DetectorEnsemble::offset_is_stale() const noexcept { return state_->stale; }
bool DetectorEnsemble::fitted() const noexcept { return n_features() > 0; }
std::size_t DetectorEnsemble::n_features() const noexcept { return state_->scaler.n_features(); }

std::vector<EnsembleMember> DetectorEnsemble::members() const {
  auto members = members_;
  for (std::size_t i = 0; i < state_->members.size(); ++i) members[i].detector = state_->members[i];
  return members;
}

std::vector<std::string> DetectorEnsemble::voters() const {
  std::vector<std::string> names;
  names.reserve(members_.size() + 3);
  for (const auto& member : members_) names.push_back(member.name);
  names.push_back(members_.front().name + " recent");
  names.emplace_back("z_score");
  if (!parameters_.rules.empty()) names.emplace_back("rules");
  return names;
}

void DetectorEnsemble::require_fitted(const char* who) const {
  require<NotFitted>(fitted(), "{}: not fitted yet, call fit first", who);
}

void DetectorEnsemble::fit(SampleView samples, const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    require_samples("DetectorEnsemble::fit", x);
    const auto n_features = static_cast<std::size_t>(x.cols());
    for (const DomainRule& rule : parameters_.rules) check_rule(rule, n_features);
    const auto& names = parameters_.feature_names;
    require(names.empty() || names.size() == n_features,
            "DetectorEnsemble::fit: expected {} features, one per name, got {}", names.size(),
            n_features);
    auto state = std::make_unique<State>();
    for (std::size_t i = 0; i < members_.size(); ++i) {
      auto member = members_[i].detector->clone();
      member->fit(x, part_of(progress, i, members_.size()));
      state->members.push_back(std::move(member));
    }
    state->scaler = Scaler(x);
    state->n_rows = static_cast<double>(x.rows());
    std::swap(state_, state);
    try {
      fit_offset(x);
    } catch (...) {
      std::swap(state_, state);
      throw;
    }
  });
}

void DetectorEnsemble::partial_fit(SampleView samples, const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    if (!fitted()) return fit(x, progress);
    require_samples("DetectorEnsemble::partial_fit", x, n_features());
    auto state = std::make_unique<State>(*state_);
    for (std::size_t i = 0; i < state->members.size(); ++i) {
      auto member = state->members[i]->clone();
      member->partial_fit(x, part_of(progress, i, state->members.size()));
      state->members[i] = std::move(member);
    }
    // The weight of earlier rows does not grow, so that the means follow slow changes.
    state->scaler = merged(state->scaler, state->n_rows, x);
    state->stale = true;
    state_ = std::move(state);
  });
}

void DetectorEnsemble::fit_offset(SampleView samples) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    require_fitted("DetectorEnsemble::fit_offset");
    std::vector<State::Limits> limits;
    const auto add = [&](const std::vector<double>& scores, double min_limit) {
      limits.push_back({quantile(scores, 0.5),
                        std::max(min_limit, quantile(scores, parameters_.limit_level)),
                        quantile(scores, parameters_.recent_level)});
    };
    for (const auto& member : state_->members)
      add(anomaly_scores(*member, x), std::numeric_limits<double>::lowest());
    std::vector<double> z_scores;
    z_scores.reserve(static_cast<std::size_t>(x.rows()));
    for (Index i = 0; i < x.rows(); ++i) z_scores.push_back(state_->z_score(x.row(i).data()));
    add(z_scores, parameters_.n_sigma);
    state_->limits = std::move(limits);
    state_->stale = false;
  });
}

void DetectorEnsemble::score_samples(SampleView samples, std::span<double> scores) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const char* who = "DetectorEnsemble::score_samples";
    require_fitted(who);
    require_samples(who, x, n_features());
    require(scores.size() == static_cast<std::size_t>(x.rows()),
            "{}: expected an output of {} values, got {}", who, x.rows(), scores.size());
    const State& s = *state_;
    const auto anomaly = anomaly_scores(s.members, x);
    std::array<double, kMaxMembers> member_scores{};
    std::vector<double> margins(s.n_voters(parameters_));
    const auto deciding = margins.begin() + static_cast<std::ptrdiff_t>(parameters_.votes) - 1;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      for (std::size_t k = 0; k < anomaly.size(); ++k) member_scores[k] = anomaly[k][i];
      s.judge(parameters_, member_scores.data(), x.row(static_cast<Index>(i)).data(),
              s.limits.front().recent, margins);
      std::ranges::nth_element(margins, deciding, std::greater<>());
      scores[i] = -*deciding;
    }
  });
}

void DetectorEnsemble::feature_contributions(SampleView samples,
                                             std::span<double> contributions) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const char* who = "DetectorEnsemble::feature_contributions";
    require_fitted(who);
    const auto n_rows = static_cast<std::size_t>(x.rows());
    require(contributions.size() == n_rows * n_features(),
            "{}: expected an output of {} values, got {}", who, n_rows * n_features(),
            contributions.size());
    const State& s = *state_;
    std::vector<double> scores(n_rows);
    score_samples(x, scores);
    const auto anomaly = anomaly_scores(s.members, x);
    std::vector<std::vector<double>> parts(s.members.size(),
                                           std::vector<double>(contributions.size()));
    for (std::size_t k = 0; k < parts.size(); ++k) s.members[k]->feature_contributions(x, parts[k]);
    const std::size_t width = n_features();
    for (std::size_t i = 0; i < n_rows; ++i) {
      const auto row = contributions.subspan(i * width, width);
      std::ranges::fill(row, 0.0);
      const auto add_fractions = [&](bool only_voters) {
        for (std::size_t k = 0; k < parts.size(); ++k) {
          if (only_voters && anomaly[k][i] <= s.limits[k].limit) continue;
          const auto part = std::span(parts[k]).subspan(i * width, width);
          double total = 0;
          for (const double value : part) total += std::max(value, 0.0);
          for (std::size_t j = 0; j < width; ++j)
            row[j] += total > 0 ? std::max(part[j], 0.0) / total : 1 / static_cast<double>(width);
        }
        return std::reduce(row.begin(), row.end());
      };
      double sum = add_fractions(true);
      if (sum == 0) sum = add_fractions(false);
      for (double& value : row) value *= -scores[i] / sum;
    }
  });
}

}  // namespace secondlook
