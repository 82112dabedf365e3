#pragma once

#include <memory>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/sample_view.hpp"

namespace secondlook {

/// One series that a detector scores sample by sample; made by `Detector::series`.
///
/// Not thread-safe; several series of one detector may be used by several threads.
class SECONDLOOK_EXPORT SampleSeries {
 public:
  virtual ~SampleSeries();

  /// Scores the next sample, a view of one row, and moves on.
  /// @returns as `Detector::score_samples` of the series so far; NaN where there is no score
  /// @throws InvalidArgument for another number of features or invalid values; the series is then
  ///   unchanged
  virtual double push(SampleView sample) = 0;

  /// Each feature's part in the last sample's score, as `Detector::feature_contributions`.
  [[nodiscard]] virtual std::vector<double> contributions() const = 0;

  /// All that the samples so far have left behind, for `restore` in a series of the same detector.
  [[nodiscard]] virtual std::vector<double> snapshot() const = 0;
  /// @throws InvalidArgument for an invalid snapshot
  virtual void restore(std::span<const double> snapshot) = 0;

 protected:
  SampleSeries() = default;
  SampleSeries(const SampleSeries&) = default;
  SampleSeries(SampleSeries&&) = default;
  SampleSeries& operator=(const SampleSeries&) = default;
  SampleSeries& operator=(SampleSeries&&) = default;
};

}  // namespace secondlook
