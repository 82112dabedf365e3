#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "secondlook/detect/detector_ensemble.hpp"
#include "secondlook/series/scaler.hpp"

namespace secondlook {

struct DetectorEnsemble::State {
  static constexpr double kLargestMargin = 1e6;

  // Quantiles of a member's anomaly scores, or of the z-scores, on normal data.
  struct Limits {
    double median = 0;
    double limit = 0;
    double recent = 0;

    // Margin of an anomaly score: 1 at `at`; the unit is the distance from the median to the limit.
    [[nodiscard]] double margin(double anomaly, double at) const noexcept {
      const double unit =
          std::max(limit - median, 1e-9 * std::max({std::abs(limit), std::abs(median), 1e-9}));
      return std::clamp(1 + (anomaly - at) / unit, 0.0, kLargestMargin);
    }
  };

  std::vector<std::shared_ptr<const Detector>> members;  // trained
  std::vector<Limits> limits;  // one per member, then those of the z-scores
  Scaler scaler;
  double n_rows = 0;  // number of rows that the scaler represents
  bool stale = false;

  [[nodiscard]] std::size_t n_voters(const DetectorEnsembleParameters& p) const noexcept {
    return members.size() + 2 + (p.rules.empty() ? 0 : 1);
  }

  // Computes the margin of every voter on a sample from the members' anomaly scores.
  template <class Scalar>
  void judge(const DetectorEnsembleParameters& p, const double* anomaly, const Scalar* sample,
             double recent_level, std::span<double> margins) const noexcept {
    std::size_t voter = 0;
    for (; voter < members.size(); ++voter)
      margins[voter] = limits[voter].margin(anomaly[voter], limits[voter].limit);
    margins[voter++] = limits.front().margin(anomaly[0], recent_level);
    margins[voter++] = limits.back().margin(z_score(sample), limits.back().limit);
    if (p.rules.empty()) return;
    double largest_excess = -1;
    for (const DomainRule& rule : p.rules)
      largest_excess =
          std::max(largest_excess, excess(rule, static_cast<double>(sample[rule.feature])) *
                                       scaler.inverse_scale()[rule.feature]);
    margins[voter] = std::min(1 + largest_excess, kLargestMargin);
  }

  // Largest deviation of a feature from its mean, in standard deviations.
  template <class Scalar>
  [[nodiscard]] double z_score(const Scalar* sample) const noexcept {
    double largest = 0;
    for (std::size_t j = 0; j < scaler.n_features(); ++j)
      largest = std::max(largest, std::abs(deviation(j, sample)));
    return largest;
  }

  // Deviation of feature `j` from its mean, in standard deviations.
  template <class Scalar>
  [[nodiscard]] double deviation(std::size_t j, const Scalar* sample) const noexcept {
    return (static_cast<double>(sample[j]) - scaler.mean()[j]) * scaler.inverse_scale()[j];
  }
};

}  // namespace secondlook
