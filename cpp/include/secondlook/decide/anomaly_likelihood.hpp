#pragma once

#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

struct AnomalyLikelihoodParameters {
  std::int64_t short_window = 10;   ///< number of recent samples, at least 1
  std::int64_t long_window = 8000;  ///< number of samples of the past, above `short_window`
  std::int64_t warm_up = 100;       ///< number of first samples that are not judged, at least 1
  double floor = 0;                 ///< smallest standard deviation, in the score's unit

  bool operator==(const AnomalyLikelihoodParameters&) const = default;
};

template <FieldsOf<AnomalyLikelihoodParameters> T>
void for_each_field(T& p, auto&& use) {
  use("short_window", p.short_window);
  use("long_window", p.long_window);
  use("warm_up", p.warm_up);
  use("floor", p.floor);
}

/// How unusual the recent level of a score is, compared with its own longer past (Ahmad et al.
/// 2017).
///
/// likelihood = 1 − Q((short mean − long mean) / long standard deviation), where Q is the normal
/// tail. A noisy score that always spikes is not unusual; a quiet one that rises a little is. Until
/// a window is full, means and standard deviation are the plain ones. After that the samples are
/// weighted exponentially with gain 2 / (window + 1), which keeps the mean age of the paper's
/// moving window without storing it: 40 bytes, and no cancellation after an outlier. Not
/// thread-safe; copies are independent.
class SECONDLOOK_EXPORT AnomalyLikelihood {
 public:
  /// Complete state except for the parameters, for saving and restoring.
  struct State {
    std::int64_t count = 0;  ///< number of samples so far
    double short_mean = 0;
    double long_mean = 0;
    double long_variance = 0;

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument if a parameter is out of range
  explicit AnomalyLikelihood(const AnomalyLikelihoodParameters& parameters = {});

  /// Continues from a saved state.
  /// @throws InvalidArgument if the state is inconsistent
  AnomalyLikelihood(const AnomalyLikelihoodParameters& parameters, const State& state);

  /// Adds one score (higher is more abnormal) and returns the likelihood. O(1), no allocation.
  /// @throws InvalidArgument if it is not finite, or above 1e150 in magnitude; it is then not
  ///   counted
  double push(double score);

  /// 1 − `tail_probability()`, in [0, 1]: higher is more abnormal.
  [[nodiscard]] double likelihood() const noexcept { return 1 - tail_probability(); }

  /// Q of the formula above: lower is more abnormal, and exact where the likelihood rounds to 1.
  /// 0.5 during the warm-up.
  [[nodiscard]] double tail_probability() const noexcept;

  [[nodiscard]] const AnomalyLikelihoodParameters& parameters() const noexcept {
    return parameters_;
  }
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  AnomalyLikelihoodParameters parameters_;
  State state_;
};

template <FieldsOf<AnomalyLikelihood::State> T>
void for_each_field(T& s, auto&& use) {
  use("count", s.count);
  use("short_mean", s.short_mean);
  use("long_mean", s.long_mean);
  use("long_variance", s.long_variance);
}

}  // namespace secondlook
