#include "secondlook/decide/peaks_over_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "decide/generalised_pareto.hpp"
#include "decide/scores.hpp"

namespace secondlook {

namespace {

constexpr std::int64_t kFewestPeaks = 10;

void require_parameters(const PeaksOverThresholdParameters& p) {
  require(p.risk > 0 && p.risk < 1, "PeaksOverThreshold: risk must lie in (0, 1), got {}", p.risk);
  require(p.level > 0 && p.level < 1 - p.risk,
          "PeaksOverThreshold: level must lie in (0, {}), below 1 - risk, got {}", 1 - p.risk,
          p.level);
  require(p.max_peaks >= kFewestPeaks, "PeaksOverThreshold: max_peaks must be at least {}, got {}",
          kFewestPeaks, p.max_peaks);
  require(p.drift_window >= 0, "PeaksOverThreshold: drift_window must be at least 0, got {}",
          p.drift_window);
}

double drift_gain(std::int64_t window) { return 2 / (static_cast<double>(window) + 1); }

// Distance of each score from the local mean of the scores before it. Sets `local_mean` to the mean
// after the last score.
std::vector<double> without_drift(std::span<const double> scores, std::int64_t window,
                                  double& local_mean) {
  const auto first = static_cast<std::size_t>(window);
  require(scores.size() > first,
          "PeaksOverThreshold: expected more scores than drift_window {}, got {}", window,
          scores.size());
  local_mean = 0;
  for (const double score : scores.first(first)) local_mean += score / static_cast<double>(window);
  std::vector<double> distances;
  distances.reserve(scores.size() - first);
  for (const double score : scores.subspan(first)) {
    distances.push_back(score - local_mean);
    local_mean += drift_gain(window) * distances.back();
  }
  return distances;
}

double quantile(std::vector<double> values, double probability) {
  const auto index =
      static_cast<std::ptrdiff_t>(std::floor(probability * static_cast<double>(values.size() - 1)));
  std::ranges::nth_element(values, values.begin() + index);
  return values[static_cast<std::size_t>(index)];
}

bool is_consistent(const PeaksOverThreshold::State& s, const PeaksOverThresholdParameters& p) {
  for (const double value : {s.initial_threshold, s.shape, s.scale, s.tail_threshold, s.local_mean})
    if (!std::isfinite(value)) return false;
  const auto is_excess = [](const PeaksOverThreshold::Peak& peak) {
    return peak.excess > 0 && std::isfinite(peak.excess);
  };
  return s.scale > 0 && s.n_calibration >= 0 && s.n_samples >= s.n_calibration &&
         s.n_peaks >= std::ssize(s.peaks) && s.n_samples >= s.n_peaks &&
         s.n_alarms >= s.n_alarms_counted && s.n_alarms_counted >= 0 && !s.peaks.empty() &&
         std::ssize(s.peaks) <= p.max_peaks && s.oldest < s.peaks.size() &&
         std::ranges::all_of(s.peaks, is_excess);
}

}  // namespace

PeaksOverThreshold::PeaksOverThreshold(std::span<const double> scores,
                                       const PeaksOverThresholdParameters& parameters)
    : parameters_(parameters) {
  require_parameters(parameters);
  decide::require_scores("PeaksOverThreshold", scores);
  const std::vector<double> values =
      parameters.drift_window > 0
          ? without_drift(scores, parameters.drift_window, state_.local_mean)
          : std::vector<double>(scores.begin(), scores.end());
  const double start = quantile(values, parameters.level);
  std::vector<double> excesses;
  for (const double value : values)
    if (value > start) excesses.push_back(value - start);
  require(std::ssize(excesses) >= kFewestPeaks,
          "PeaksOverThreshold: expected at least {} scores above the {}-quantile {}, got {} of {}",
          kFewestPeaks, parameters.level, start, excesses.size(), values.size());

  state_.initial_threshold = start;
  state_.n_calibration = state_.n_samples = static_cast<std::int64_t>(values.size());
  state_.n_peaks = std::ssize(excesses);
  const auto kept = static_cast<std::size_t>(std::min(state_.n_peaks, parameters.max_peaks));
  for (const double excess : std::span(excesses).last(kept)) state_.peaks.push_back({excess});
  const auto tail = decide::fit_generalised_pareto(state_.peaks);
  require(tail.has_value(),
          "PeaksOverThreshold: expected distinct scores above the {}-quantile, got {} times {}",
          parameters.level, kept, start + excesses.back());
  state_.shape = tail->shape;
  state_.scale = tail->scale;
  place_threshold();
}

PeaksOverThreshold::PeaksOverThreshold(const PeaksOverThresholdParameters& parameters, State state)
    : parameters_(parameters), state_(std::move(state)) {
  require_parameters(parameters);
  require(is_consistent(state_, parameters),
          "PeaksOverThreshold: expected the state of a fitted tail, got an inconsistent one ({} "
          "scores, {} peaks, scale {})",
          state_.n_samples, state_.n_peaks, state_.scale);
}

bool PeaksOverThreshold::push(double score) {
  require(std::isfinite(score), "PeaksOverThreshold::push: expected a finite score, got {}", score);
  if (score >= threshold()) {
    ++state_.n_alarms;
    if (counts_as_peak()) {
      ++state_.n_alarms_counted;
      ++state_.n_samples;
      add_peak({state_.tail_threshold - state_.initial_threshold, true});
    }
    return true;
  }
  ++state_.n_samples;
  const double distance = score - state_.local_mean;
  if (distance > state_.initial_threshold) add_peak({distance - state_.initial_threshold});
  if (parameters_.drift_window > 0)
    state_.local_mean += drift_gain(parameters_.drift_window) * distance;
  return false;
}

// As many alarms as the risk predicts, plus two standard deviations of a Poisson count, are taken
// for normal scores. A burst of anomalies cannot lift the threshold by more than that.
bool PeaksOverThreshold::counts_as_peak() const {
  const auto seen = static_cast<double>(state_.n_samples - state_.n_calibration + state_.n_alarms -
                                        state_.n_alarms_counted);
  const double predicted = parameters_.risk * seen;
  return static_cast<double>(state_.n_alarms_counted) < predicted + 2 * std::sqrt(predicted);
}

void PeaksOverThreshold::add_peak(Peak peak) {
  ++state_.n_peaks;
  if (std::ssize(state_.peaks) < parameters_.max_peaks) {
    state_.peaks.push_back(peak);
  } else {
    state_.peaks[state_.oldest] = peak;
    state_.oldest = (state_.oldest + 1) % state_.peaks.size();
  }
  // If all peaks are equal, there is no fit, and the tail remains as it is.
  if (const auto tail = decide::fit_generalised_pareto(state_.peaks)) {
    state_.shape = tail->shape;
    state_.scale = tail->scale;
  }
  place_threshold();
}

void PeaksOverThreshold::place_threshold() {
  const double fraction = parameters_.risk * static_cast<double>(state_.n_samples) /
                          static_cast<double>(state_.n_peaks);
  const double excess =
      decide::upper_quantile({state_.shape, state_.scale}, std::min(fraction, 1.0));
  // Always above the initial threshold, which many equal scores may share.
  state_.tail_threshold =
      std::max(state_.initial_threshold + excess,
               std::nextafter(state_.initial_threshold, std::numeric_limits<double>::infinity()));
}

}  // namespace secondlook
