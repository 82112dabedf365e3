#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "secondlook/detect/detector_ensemble.hpp"

namespace secondlook {

/// One device's samples, judged by an ensemble as they come: constant time and memory a sample.
///
/// What is remembered is the recent level of the first member's scores: the quantile
/// `recent_level` of the last `recent_window` scores within the member's limit, so that a long
/// fault does not become the device's habit. Until a tenth of the window is there, and 20 samples,
/// the level of the training stands in. A sample with a missing value is not judged: its score is
/// NaN.
///
/// Many streams share one ensemble, from several threads; one stream is used by one thread at a
/// time. The ensemble must not learn, or be assigned, while they push: an `IncrementalLearner`
/// trains a copy, with which `use` goes on.
class SECONDLOOK_EXPORT EnsembleStream {
 public:
  /// @throws NotFitted
  explicit EnsembleStream(std::shared_ptr<const DetectorEnsemble> ensemble);
  ~EnsembleStream();
  EnsembleStream(const EnsembleStream& other);
  EnsembleStream& operator=(const EnsembleStream& other);
  EnsembleStream(EnsembleStream&&) noexcept;
  EnsembleStream& operator=(EnsembleStream&&) noexcept;

  /// Judges the next sample, of n_features values. No allocation while all is normal and the window
  /// of recent scores is full.
  /// @throws InvalidArgument for another number of values or infinities; the stream is as before
  const EnsembleVerdict& push(std::span<const double> sample);

  /// Judges many: the same verdicts, with the members scoring in bulk.
  /// @param x shape (n, n_features), in order of time
  [[nodiscard]] std::vector<EnsembleVerdict> push(MatrixView<double> x);

  /// Goes on with another version of the ensemble. The recent scores kept are the older one's.
  /// @throws InvalidArgument where it has other features or parameters
  void use(std::shared_ptr<const DetectorEnsemble> ensemble);

  [[nodiscard]] const DetectorEnsemble& ensemble() const noexcept { return *ensemble_; }

  /// All that is remembered, to go on elsewhere.
  [[nodiscard]] std::vector<double> snapshot() const;
  /// @throws InvalidArgument for what is no snapshot of such a stream
  void restore(std::span<const double> snapshot);

 private:
  struct State;

  void judge(const double* anomaly, const double* sample, EnsembleVerdict& verdict);
  [[nodiscard]] std::string explain(const double* anomaly, const double* sample,
                                    double recent_level, std::uint32_t votes) const;

  std::shared_ptr<const DetectorEnsemble> ensemble_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
