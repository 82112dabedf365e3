#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

struct PeaksOverThresholdParameters {
  double risk = 1e-3;   ///< fraction of normal scores that may reach the threshold, in (0, 1)
  double level = 0.98;  ///< quantile above which the tail begins, in (0, 1 − risk)
  std::int64_t max_peaks = 1000;  ///< number of newest peaks used for the fit, at least 10
  std::int64_t drift_window = 0;  ///< number of scores of the local mean; 0: no drift

  bool operator==(const PeaksOverThresholdParameters&) const = default;
};

template <FieldsOf<PeaksOverThresholdParameters> T>
void for_each_field(T& p, auto&& use) {
  use("risk", p.risk);
  use("level", p.level);
  use("max_peaks", p.max_peaks);
  use("drift_window", p.drift_window);
}

/// Threshold for rare scores by extreme value theory: SPOT, or DSPOT with `drift_window` (Siffer et
/// al. 2017).
///
/// Scores above a high quantile t of the calibration scores (peaks) follow a generalised Pareto
/// tail, fitted by maximum likelihood (Grimshaw 1993). This gives a threshold also for a `risk`
/// below 1 / n: t + scale / shape · ((risk · n / n_peaks)^(−shape) − 1). It is a model, not a
/// guarantee: where there are enough calibration scores for the risk, prefer `quantile_threshold`.
///
/// `push` continues with a stream: new peaks update the tail, alarms do not. There is one departure
/// from the paper: as many alarms as `risk` predicts for normal scores count as censored peaks
/// (known to reach the threshold, but not by how much). Without them, as in the paper, each refit
/// cuts the tail a little shorter and the threshold sinks for good. With drift, the tail is that of
/// a score's distance from an exponential mean of the previous scores, not counting alarms. Not
/// thread-safe; copies are independent.
class SECONDLOOK_EXPORT PeaksOverThreshold {
 public:
  /// A score above the initial threshold.
  struct Peak {
    double excess;          ///< over the initial threshold, above 0
    bool censored = false;  ///< whether it was an alarm, whose excess is at least this

    bool operator==(const Peak&) const = default;
  };

  /// Complete state except for the parameters, for saving and restoring.
  struct State {
    double initial_threshold = 0;       ///< where the tail begins
    double shape = 0;                   ///< shape of the generalised Pareto tail
    double scale = 1;                   ///< scale of the generalised Pareto tail
    double tail_threshold = 0;          ///< threshold minus local mean
    double local_mean = 0;              ///< 0 without drift
    std::int64_t n_calibration = 0;     ///< number of calibration scores
    std::int64_t n_samples = 0;         ///< scores used for the fit, including these
    std::int64_t n_peaks = 0;           ///< those among them above the initial threshold
    std::int64_t n_alarms = 0;          ///< alarms raised by `push`
    std::int64_t n_alarms_counted = 0;  ///< those among them that count as peaks
    std::vector<Peak> peaks;            ///< newest peaks; a ring buffer of at most `max_peaks`
    std::size_t oldest = 0;             ///< index of the oldest peak in the ring buffer

    bool operator==(const State&) const = default;
  };

  /// Fits to normal scores (higher is more abnormal); with drift they must be in order of time.
  /// @throws InvalidArgument if a parameter is out of range, a score is not finite, or fewer than
  /// 10
  ///   scores, or only equal ones, lie above the `level` quantile (as with constant scores)
  explicit PeaksOverThreshold(std::span<const double> scores,
                              const PeaksOverThresholdParameters& parameters = {});

  /// Continues from a saved state.
  /// @throws InvalidArgument if the state is inconsistent
  PeaksOverThreshold(const PeaksOverThresholdParameters& parameters, State state);

  /// Returns whether the next score of a stream is an alarm, and updates the tail with it.
  /// O(`max_peaks`) for a peak, else O(1).
  /// @throws InvalidArgument if it is not finite; it is then not counted
  bool push(double score);

  /// Current threshold: a score at or above it is an alarm.
  [[nodiscard]] double threshold() const noexcept {
    return state_.local_mean + state_.tail_threshold;
  }

  [[nodiscard]] const PeaksOverThresholdParameters& parameters() const noexcept {
    return parameters_;
  }
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  bool counts_as_peak() const;
  void add_peak(Peak peak);
  void place_threshold();

  PeaksOverThresholdParameters parameters_;
  State state_;
};

template <FieldsOf<PeaksOverThreshold::Peak> T>
void for_each_field(T& p, auto&& use) {
  use("excess", p.excess);
  use("censored", p.censored);
}
template <>
inline constexpr bool is_written_as_list<PeaksOverThreshold::Peak> = true;

template <FieldsOf<PeaksOverThreshold::State> T>
void for_each_field(T& s, auto&& use) {
  use("initial_threshold", s.initial_threshold);
  use("shape", s.shape);
  use("scale", s.scale);
  use("tail_threshold", s.tail_threshold);
  use("local_mean", s.local_mean);
  use("n_calibration", s.n_calibration);
  use("n_samples", s.n_samples);
  use("n_peaks", s.n_peaks);
  use("n_alarms", s.n_alarms);
  use("n_alarms_counted", s.n_alarms_counted);
  use("peaks", s.peaks);
  use("oldest", s.oldest);
}

}  // namespace secondlook
