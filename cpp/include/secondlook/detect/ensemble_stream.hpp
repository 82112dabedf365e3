#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "secondlook/detect/detector_ensemble.hpp"

namespace secondlook {

/// Judges the samples of one device by an ensemble as they arrive, in constant time and memory per
/// sample.
///
/// The stream remembers the recent level of the first member's scores: the quantile `recent_level`
/// of the last `recent_window` scores within the member's limit, so that a long fault does not
/// become normal. Until a tenth of the window and at least 20 samples have arrived, the level of
/// the training is used. A sample with a missing value is not judged: its score is NaN.
///
/// Many streams may share one ensemble, also from several threads; one stream must be used by one
/// thread at a time. The ensemble must not be trained or assigned meanwhile: an
/// `IncrementalLearner` trains a copy, which is passed to `use`.
class SECONDLOOK_EXPORT EnsembleStream {
 public:
  /// @throws NotFitted
  explicit EnsembleStream(std::shared_ptr<const DetectorEnsemble> ensemble);
  ~EnsembleStream();
  EnsembleStream(const EnsembleStream& other);
  EnsembleStream& operator=(const EnsembleStream& other);
  EnsembleStream(EnsembleStream&&) noexcept;
  EnsembleStream& operator=(EnsembleStream&&) noexcept;

  /// Judges the next sample, of n_features values. Does not allocate while samples are normal and
  /// the window of recent scores is full.
  /// @throws InvalidArgument for a wrong number of values or infinities; the stream is then
  ///   unchanged
  const EnsembleVerdict& push(std::span<const double> sample);

  /// Judges many samples: the same verdicts, with the members scoring in bulk.
  /// @param x shape (n, n_features), in order of time
  [[nodiscard]] std::vector<EnsembleVerdict> push(MatrixView<double> x);

  /// Continues with another version of the ensemble. The recent scores of the previous one are
  /// kept.
  /// @throws InvalidArgument if its features or parameters differ
  void use(std::shared_ptr<const DetectorEnsemble> ensemble);

  [[nodiscard]] const DetectorEnsemble& ensemble() const noexcept { return *ensemble_; }

  /// Complete state of the stream, for `restore`.
  [[nodiscard]] std::vector<double> snapshot() const;
  /// @throws InvalidArgument for an invalid snapshot
  void restore(std::span<const double> snapshot);

 private:
  struct State;

  void judge(const double* anomaly, const double* sample, EnsembleVerdict& verdict);
  [[nodiscard]] std::vector<std::string> explain(const double* anomaly, const double* sample,
                                                 double recent_level, std::uint32_t votes) const;

  std::shared_ptr<const DetectorEnsemble> ensemble_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
