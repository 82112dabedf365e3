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
  std::int64_t max_peaks = 1000;  ///< newest peaks that the tail is fitted to, at least 10
  std::int64_t drift_window = 0;  ///< scores that the local mean is taken over; 0: no drift

  bool operator==(const PeaksOverThresholdParameters&) const = default;
};

template <FieldsOf<PeaksOverThresholdParameters> T>
void for_each_field(T& p, auto&& use) {
  use("risk", p.risk);
  use("level", p.level);
  use("max_peaks", p.max_peaks);
  use("drift_window", p.drift_window);
}

/// A threshold for rare scores by extreme value theory: SPOT, and DSPOT with `drift_window` (Siffer
/// et al. 2017).
///
/// What lies above a high quantile t of the calibration (a peak) follows a generalised Pareto tail,
/// fitted by maximum likelihood (Grimshaw 1993). So the threshold for a `risk` below 1 / n can be
/// said: t + scale / shape · ((risk · n / n_peaks)^(−shape) − 1). It is a model, not a guarantee:
/// for a risk that the calibration can show by itself, `quantile_threshold` promises more.
///
/// `push` goes on with a stream: new peaks are learned, alarms are not. One departure from the
/// paper: as many alarms as `risk` foretells for normal scores count as censored peaks (known to
/// reach the threshold, by how much unknown). Left out, as the paper does, the tail is cut a little
/// shorter by each refit, and the threshold sinks for good. With drift, all this is about a
/// score's distance from an exponential mean of the scores before it, alarms left out. Not
/// thread-safe; copies are independent.
class SECONDLOOK_EXPORT PeaksOverThreshold {
 public:
  /// A score above the initial threshold.
  struct Peak {
    double excess;          ///< over it, above 0
    bool censored = false;  ///< whether it was an alarm, of at least this excess

    bool operator==(const Peak&) const = default;
  };

  /// All there is to it but the parameters: what is kept to continue elsewhere.
  struct State {
    double initial_threshold = 0;       ///< where the tail begins
    double shape = 0;                   ///< of the generalised Pareto tail
    double scale = 1;                   ///< the same
    double tail_threshold = 0;          ///< the threshold, less the local mean
    double local_mean = 0;              ///< with drift; else 0
    std::int64_t n_calibration = 0;     ///< scores that it was fitted on
    std::int64_t n_samples = 0;         ///< scores learned from, those included
    std::int64_t n_peaks = 0;           ///< of them, those above the initial threshold
    std::int64_t n_alarms = 0;          ///< of `push`
    std::int64_t n_alarms_counted = 0;  ///< of them, those that count as peaks
    std::vector<Peak> peaks;            ///< the newest; a ring once there are `max_peaks`
    std::size_t oldest = 0;             ///< place of the ring's oldest

    bool operator==(const State&) const = default;
  };

  /// Fits to normal scores: higher is more abnormal; with drift, in their order in time.
  /// @throws InvalidArgument when a parameter is out of range, a score is not finite, or fewer than
  ///   10 different scores lie above the level's quantile, such as for constant scores
  explicit PeaksOverThreshold(std::span<const double> scores,
                              const PeaksOverThresholdParameters& parameters = {});

  /// Continues from a state.
  /// @throws InvalidArgument for one that no scores lead to
  PeaksOverThreshold(const PeaksOverThresholdParameters& parameters, State state);

  /// Whether the next score of a stream is an alarm; learns from it. O(`max_peaks`) for a peak,
  /// else O(1).
  /// @throws InvalidArgument if it is not finite; it is then not counted
  bool push(double score);

  /// A score at or above it is an alarm; with drift, as it is now.
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
