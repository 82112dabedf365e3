#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "secondlook/core/fields.hpp"
#include "secondlook/core/sparse_view.hpp"
#include "secondlook/detect/detector.hpp"

namespace secondlook {

struct IsolationForestParameters {
  std::size_t n_estimators = 100;  ///< number of trees, at least 1
  std::size_t max_samples = 256;   ///< rows per tree, at least 1
  std::size_t max_features = 0;    ///< features that each tree may split on; 0: all
  std::optional<double> contamination =
      std::nullopt;            ///< fraction of anomalies, in (0, 0.5]; unset: offset is −0.5
  bool bootstrap = false;      ///< rows of a tree are drawn with replacement
  bool route_missing = false;  ///< NaN follows the larger branch; otherwise it is refused
  double refresh_fraction =
      0.1;  ///< fraction of trees, in (0, 1], replaced per max_samples new rows
  std::uint64_t seed = 0;
  int n_jobs = 0;  ///< number of threads, see `resolve_threads`
};

template <FieldsOf<IsolationForestParameters> T>
void for_each_field(T& p, auto&& use) {
  use("n_estimators", p.n_estimators);
  use("max_samples", p.max_samples);
  use("max_features", p.max_features);
  use("contamination", p.contamination);
  use("bootstrap", p.bootstrap);
  use("route_missing", p.route_missing);
  use("refresh_fraction", p.refresh_fraction);
  use("seed", p.seed);
  use("n_jobs", p.n_jobs);
}

class IsolationForest;

/// What `IsolationForest::fit` may be given beside rows.
struct IsolationForestTraining {
  /// One per row, at least 0: rows are drawn with probabilities in proportion to them, and count so
  /// for the offset. Weights that are all equal change nothing. Empty: equal weights.
  std::span<const double> sample_weight = {};
  /// A fitted forest whose trees are kept, so that only the others of `n_estimators` are grown.
  const IsolationForest* warm_start = nullptr;
};

/// Isolation forest (Liu, Ting & Zhou, "Isolation Forest", ICDM 2008).
///
/// Anomalies are few and different, so random splits isolate them in few steps: the score of a
/// sample is −2^(−mean path length / c(max_samples)), between −1 (anomalous) and 0, as in
/// scikit-learn. Values are compared in float32; float64 input is rounded to it and saturates
/// beyond its range. The same seed gives the same bits for any number of threads.
class SECONDLOOK_EXPORT IsolationForest final : public Detector {
 public:
  /// @throws InvalidArgument if a parameter is out of range
  explicit IsolationForest(IsolationForestParameters parameters = {});
  ~IsolationForest() override;
  IsolationForest(const IsolationForest& other);
  IsolationForest& operator=(const IsolationForest& other);
  IsolationForest(IsolationForest&&) noexcept;
  IsolationForest& operator=(IsolationForest&&) noexcept;

  /// Trains from scratch on the rows of `x`, shape (n, n_features), n ≥ 1.
  ///
  /// With fewer rows than `max_samples`, every tree is grown on all of them. Only the rows drawn by
  /// the trees are read, unless all must be checked or scored.
  void fit(SampleView x, const Progress& progress = {}) override;
  /// @throws InvalidArgument also if a weight is negative, infinite or NaN or all are 0, or if
  ///   the forest to start from has more trees, other features, another number of rows per tree
  ///   or another handling of missing values
  void fit(SampleView x, const IsolationForestTraining& training, const Progress& progress = {});
  /// The same trees as of the dense rows; a tree's memory grows with the entries of its rows.
  void fit(const SparseSampleView& x, const IsolationForestTraining& training = {},
           const Progress& progress = {});

  /// Continues training. New rows are gathered until there are `max_samples`; then the oldest
  /// `refresh_fraction` of the trees is replaced by trees grown on the gathered rows. An unfitted
  /// forest is grown from the first `max_samples` rows. Makes a set offset stale.
  void partial_fit(SampleView x, const Progress& progress = {}) override;

  /// Adds the trees of a forest that was trained separately. Makes a set offset stale.
  /// @throws InvalidArgument if the subsample size, the features or the handling of missing values
  ///   differ
  void merge(const IsolationForest& other);

  /// Scores in [−1, 0), higher is more normal. About 100 trees × 8 comparisons per row.
  void score_samples(SampleView x, std::span<double> scores) const override;
  /// The same scores as of the dense rows.
  void score_samples(const SparseSampleView& x, std::span<double> scores) const;
  using Detector::score_samples;

  /// Contribution of each feature to shortening a sample's path: path-dependent TreeSHAP (Lundberg
  /// et al., "From local explanations to global understanding with explainable AI for trees", 2020)
  /// on the path length, averaged over the trees.
  ///
  /// A row sums to the expected path length minus the sample's; positive values are evidence for an
  /// anomaly. O(trees · max_samples · log²(max_samples)) per row.
  /// @param contributions row-major, shape (n, n_features)
  void feature_contributions(SampleView x, std::span<double> contributions) const override;

  /// Mean path length over the training samples of the trees, the base value of
  /// `feature_contributions`.
  [[nodiscard]] double expected_path_length() const;

  /// Score below which a sample is called anomalous: −0.5 without `contamination`, else that
  /// quantile of the training scores.
  [[nodiscard]] double offset() const override;
  /// Whether the forest has changed since the offset was computed; never without `contamination`.
  [[nodiscard]] bool offset_is_stale() const noexcept override;
  /// Computes the offset from `x`, so that the fraction `contamination` of its rows lies below it.
  void fit_offset(SampleView x) override;
  void fit_offset(const SparseSampleView& x);
  /// `fit_offset` if there is a `contamination`.
  void refresh_offset(SampleView x) override;

  [[nodiscard]] std::unique_ptr<Detector> clone() const override;

  [[nodiscard]] std::string_view kind() const noexcept override { return "isolation_forest"; }
  /// @throws ModelFileError if the file does not hold a forest
  [[nodiscard]] static IsolationForest from_file(const ModelFile& file);

  [[nodiscard]] bool fitted() const noexcept override;
  [[nodiscard]] std::size_t n_features() const noexcept override;
  [[nodiscard]] std::size_t n_trees() const noexcept;
  /// Number of rows that each tree was grown on; 0 before training.
  [[nodiscard]] std::size_t subsample_size() const noexcept;
  /// Number of rows that `partial_fit` has gathered and no tree has been grown on.
  [[nodiscard]] std::size_t n_pending() const noexcept;
  /// Memory used by the fitted state, in bytes.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  [[nodiscard]] const IsolationForestParameters& parameters() const noexcept;

 protected:
  /// Tensors, for T trees of depth D over F features: `features` (T, 2^D; −1 at a leaf and below, F
  /// + f is feature f with missing values below), `thresholds` (T, 2^D), `path_lengths` (T, 2^D),
  /// `covers` (T, 2^(D+1)) and `pending` (n, F). Node 1 is the root; values below its threshold go
  /// to node 2i + 1, others to 2i.
  [[nodiscard]] ModelFile write() const override;

 private:
  struct State;
  void require_fitted(const char* who) const;
  // Rows: MatrixView or SparseView.
  template <class Rows>
  void grow(const Rows& x, const IsolationForestTraining& training, const Progress& progress);
  template <class Rows>
  void set_offset(const Rows& x, std::span<const double> weights);

  IsolationForestParameters parameters_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
