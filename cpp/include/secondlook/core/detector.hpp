#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "secondlook/core/export.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/core/progress.hpp"

namespace secondlook {

/// Whatever scores samples, one row each, and goes on learning from new ones.
///
/// Scores follow scikit-learn's direction: higher is more normal. What is decided on them is not
/// the detector's business. Scoring is safe from several threads at once; learning is not.
class SECONDLOOK_EXPORT Detector {
 public:
  virtual ~Detector();

  /// Number of features of a sample; 0 before anything was learned.
  [[nodiscard]] virtual std::size_t n_features() const noexcept = 0;

  /// Trains anew on the rows of `x`, shape (n, n_features).
  virtual void fit(MatrixView<float> x, const Progress& progress = {}) = 0;
  virtual void fit(MatrixView<double> x, const Progress& progress = {}) = 0;

  /// Scores each row of `x`, shape (n, n_features), into `scores`, of n values.
  /// @throws NotFitted, InvalidArgument
  virtual void score_samples(MatrixView<float> x, std::span<double> scores) const = 0;
  virtual void score_samples(MatrixView<double> x, std::span<double> scores) const = 0;

  /// What each feature does to make a row abnormal, in the detector's own terms.
  /// @param contributions row-major, shape (n, n_features)
  virtual void feature_contributions(MatrixView<float> x,
                                     std::span<double> contributions) const = 0;
  virtual void feature_contributions(MatrixView<double> x,
                                     std::span<double> contributions) const = 0;

  /// Learns on from the rows of `x`, shape (n, n_features). On an exception nothing has changed.
  virtual void partial_fit(MatrixView<float> x, const Progress& progress = {}) = 0;
  virtual void partial_fit(MatrixView<double> x, const Progress& progress = {}) = 0;

  /// Computes the detector's own cut-off anew from `x`, rows that are held to be normal. Nothing
  /// where it has none, or a fixed one.
  virtual void refresh_offset(MatrixView<double> x);

  /// Whether rows are samples of a series in order of time, so that a score needs the rows before.
  [[nodiscard]] virtual bool ordered() const noexcept { return false; }

  /// A copy that learns on without a trace in this one.
  [[nodiscard]] virtual std::unique_ptr<Detector> clone() const = 0;
};

/// What learns from other things than rows, and makes rows of them to learn on as a detector.
class SECONDLOOK_EXPORT DetectorSource {
 public:
  virtual ~DetectorSource();

  /// A detector that learns on without a trace in this one; it is a `Model` of the same kind.
  [[nodiscard]] virtual std::unique_ptr<Detector> as_detector() const = 0;

 protected:
  DetectorSource() = default;
  DetectorSource(const DetectorSource&) = default;
  DetectorSource(DetectorSource&&) = default;
  DetectorSource& operator=(const DetectorSource&) = default;
  DetectorSource& operator=(DetectorSource&&) = default;
};

}  // namespace secondlook
