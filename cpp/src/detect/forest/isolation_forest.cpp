#include "secondlook/detect/isolation_forest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/quantile.hpp"
#include "core/sparse_validation.hpp"
#include "detect/forest/isolation_forest_state.hpp"
#include "detect/forest/row_keys.hpp"
#include "detect/forest/row_sampler.hpp"
#include "detect/forest/tree_shap.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

using detect::kGroupRows;

namespace {

constexpr std::size_t kMinParallelRows = 1024;

// Grows trees on random rows of a `MatrixView` or a `SparseView`.
template <class Rows>
class TreeBuilder {
 public:
  TreeBuilder(const Rows& x, std::size_t n_features, const IsolationForestParameters& parameters,
              const detect::RowSampler& sampler, std::size_t subsample_size, unsigned depth,
              std::size_t n_trees)
      : x_(x),
        n_features_(static_cast<std::uint32_t>(n_features)),
        parameters_(parameters),
        sampler_(sampler),
        subsample_size_(subsample_size),
        depth_(depth) {
    // A small table, whose rows are drawn repeatedly, is converted to keys once.
    constexpr std::size_t kSmall = 16384;
    const auto n_rows = static_cast<std::size_t>(x.rows());
    if (kSparse || n_rows > kSmall || n_rows >= n_trees * subsample_size) return;
    std::vector<std::uint32_t> all(n_rows);
    std::iota(all.begin(), all.end(), 0U);
    shared_ = detect::to_columns(x, all);
  }

  void grow(std::uint64_t number, detect::TreeView tree) const {
    RandomStream random(parameters_.seed, number);
    std::vector<std::uint32_t> features(n_features_);
    std::iota(features.begin(), features.end(), 0U);
    // Selecting all features equals selecting none: no draw, so the trees are the same.
    if (parameters_.max_features > 0 && parameters_.max_features < n_features_) {
      for (std::size_t i = 0; i < parameters_.max_features; ++i)
        std::swap(features[i], features[i + random.below(n_features_ - i)]);
      features.resize(parameters_.max_features);
    }
    auto rows = sampler_.draw(subsample_size_, random);
    detect::KeyColumns drawn;
    if (shared_.keys.empty()) {
      drawn = detect::to_columns(x_, rows);
      std::iota(rows.begin(), rows.end(), 0U);
    }
    const auto& columns = shared_.keys.empty() ? drawn : shared_;
    detect::grow_tree({columns.keys, columns.n_rows, rows, features, n_features_,
                       parameters_.route_missing, columns.column_of},
                      depth_, random, tree);
  }

 private:
  static constexpr bool kSparse = requires(Rows x) { x.row_starts; };

  const Rows& x_;
  std::uint32_t n_features_;
  const IsolationForestParameters& parameters_;
  const detect::RowSampler& sampler_;
  std::size_t subsample_size_;
  unsigned depth_;
  detect::KeyColumns shared_;
};

// Number of rows that are scored together, tree by tree. Shallow trees are small, so the keys of a
// block should stay in the first-level cache. A deep tree should serve many rows while it is in the
// second-level cache.
std::size_t block_rows(std::size_t n_columns, std::size_t tree_size) {
  constexpr std::size_t kKeyBytes = 16 * 1024;
  constexpr std::size_t kDeepTree = 4096;
  constexpr std::size_t kMostBytes = 64 * 1024 * 1024;
  const std::size_t group_bytes = n_columns * kGroupRows * sizeof(std::uint32_t);
  if (tree_size >= kDeepTree)
    return std::clamp<std::size_t>(kMostBytes / group_bytes, 1, 256) * kGroupRows;
  return std::clamp<std::size_t>(kKeyBytes / group_bytes, 1, 16) * kGroupRows;
}

}  // namespace

IsolationForest::IsolationForest(IsolationForestParameters parameters)
    : parameters_(parameters), state_(std::make_unique<State>()) {
  const auto& p = parameters_;
  require(p.n_estimators >= 1, "IsolationForest: n_estimators must be at least 1, got {}",
          p.n_estimators);
  require(p.max_samples >= 1 && p.max_samples <= std::size_t{1} << 30,
          "IsolationForest: max_samples must lie in [1, 2^30], got {}", p.max_samples);
  require(!p.contamination || (*p.contamination > 0 && *p.contamination <= 0.5),
          "IsolationForest: contamination must lie in (0, 0.5], got {}",
          p.contamination.value_or(0));
  require(p.refresh_fraction > 0 && p.refresh_fraction <= 1,
          "IsolationForest: refresh_fraction must lie in (0, 1], got {}", p.refresh_fraction);
}

IsolationForest::~IsolationForest() = default;
IsolationForest::IsolationForest(const IsolationForest& other)
    : Detector(other),
      parameters_(other.parameters_),
      state_(std::make_unique<State>(*other.state_)) {}
IsolationForest& IsolationForest::operator=(const IsolationForest& other) {
  return *this = IsolationForest(other);
}
IsolationForest::IsolationForest(IsolationForest&&) noexcept = default;
IsolationForest& IsolationForest::operator=(IsolationForest&&) noexcept = default;

void IsolationForest::merge(const IsolationForest& other) {
  require_fitted("IsolationForest::merge");
  other.require_fitted("IsolationForest::merge: the other forest");
  const State& theirs = *other.state_;
  state_->require_alike("IsolationForest::merge", theirs);
  require(other.parameters_.route_missing == parameters_.route_missing,
          "IsolationForest::merge: expected a forest with the same handling of missing values");
  auto merged = std::make_unique<State>(*state_);
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  merged->own_trees();
  append(merged->trees->nodes, theirs.trees->nodes);
  append(merged->trees->path_lengths, theirs.trees->path_lengths);
  append(merged->trees->covers, theirs.trees->covers);
  append(merged->pending, theirs.pending);
  merged->n_trees += theirs.n_trees;
  merged->n_grown += theirs.n_grown;
  merged->offset_is_stale = parameters_.contamination.has_value();
  state_ = std::move(merged);
}

double IsolationForest::expected_path_length() const {
  require_fitted("IsolationForest::expected_path_length");
  double sum = 0;
  for (std::size_t i = 0; i < state_->n_trees; ++i)
    sum += detect::expected_path_length(state_->tree(i), state_->depth);
  return sum / static_cast<double>(state_->n_trees);
}

double IsolationForest::offset() const {
  require_fitted("IsolationForest::offset");
  return state_->offset;
}

bool IsolationForest::offset_is_stale() const noexcept { return state_->offset_is_stale; }

void IsolationForest::refresh_offset(SampleView x) {
  if (parameters_.contamination) fit_offset(x);
}

std::unique_ptr<Detector> IsolationForest::clone() const {
  return std::make_unique<IsolationForest>(*this);
}

bool IsolationForest::fitted() const noexcept { return state_->n_trees > 0; }
std::size_t IsolationForest::n_features() const noexcept { return state_->n_features; }
std::size_t IsolationForest::n_trees() const noexcept { return state_->n_trees; }
std::size_t IsolationForest::subsample_size() const noexcept { return state_->subsample_size; }
std::size_t IsolationForest::n_pending() const noexcept {
  return state_->n_features == 0 ? 0 : state_->pending.size() / state_->n_features;
}
std::size_t IsolationForest::memory_bytes() const noexcept {
  const State& s = *state_;
  return sizeof s + s.trees->nodes.size() * sizeof s.trees->nodes[0] +
         s.trees->path_lengths.size() * sizeof s.trees->path_lengths[0] +
         s.trees->covers.size() * sizeof s.trees->covers[0] +
         s.pending.size() * sizeof s.pending[0];
}
const IsolationForestParameters& IsolationForest::parameters() const noexcept {
  return parameters_;
}

void IsolationForest::require_fitted(const char* who) const {
  if (fitted()) return;
  require<NotFitted>(n_pending() == 0, "{}: not fitted yet, partial_fit has gathered {} of {} rows",
                     who, n_pending(), parameters_.max_samples);
  require<NotFitted>(false, "{}: not fitted yet, call fit first", who);
}

namespace {

constexpr const char* kFit = "IsolationForest::fit";
constexpr const char* kScore = "IsolationForest::score_samples";

Missing missing_policy(const IsolationForestParameters& parameters) {
  return parameters.route_missing ? Missing::allow_nan : Missing::refuse;
}

template <class Scalar>
std::size_t n_features_of(MatrixView<Scalar> x) {
  return static_cast<std::size_t>(x.cols());
}
template <class Scalar>
std::size_t n_features_of(const SparseView<Scalar>& x) {
  return static_cast<std::size_t>(x.cols);
}

void require_output(std::span<const double> scores, std::size_t n_rows) {
  require(scores.size() == n_rows, "{}: expected an output of {} scores, got {}", kScore, n_rows,
          scores.size());
}

// Scores rows by blocks that `pack(begin, end)` gives in the kernel's layout.
template <class State, class Pack>
void score_blocks(const State& state, const detect::ForestView& forest, std::size_t n_columns,
                  int n_jobs, std::span<double> scores, const Pack& pack) {
  const auto score = state.scorer();
  const std::size_t n_rows = scores.size();
  parallel_for(n_rows, block_rows(n_columns, state.tree_size()),
               n_rows < kMinParallelRows ? 1 : resolve_threads(n_jobs),
               [&](std::size_t begin, std::size_t end) {
                 thread_local std::vector<double> sums;
                 const detect::PackedRows rows = pack(begin, end);
                 sums.assign(rows.n_groups * kGroupRows, 0);
                 detect::add_path_lengths(forest, rows, sums.data());
                 for (std::size_t i = begin; i < end; ++i) scores[i] = score(sums[i - begin]);
               });
}

void require_weights(std::span<const double> weights, std::size_t n_rows) {
  if (weights.empty()) return;
  require(weights.size() == n_rows, "{}: expected a sample_weight for each of {} rows, got {}",
          kFit, n_rows, weights.size());
  double sum = 0;
  for (const double weight : weights) {
    require(weight >= 0 && std::isfinite(weight),
            "{}: expected each sample_weight to be finite and at least 0, got {}", kFit, weight);
    sum += weight;
  }
  require(sum > 0 && std::isfinite(sum),
          "{}: expected sample_weight with a finite sum above zero, got {}", kFit, sum);
}

}  // namespace

void IsolationForest::fit(SampleView samples, const Progress& progress) {
  fit(samples, IsolationForestTraining{}, progress);
}

void IsolationForest::fit(SampleView samples, const IsolationForestTraining& training,
                          const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    require_samples(kFit, x, missing_policy(parameters_));
    grow(x, training, progress);
  });
}

void IsolationForest::fit(const SparseSampleView& samples, const IsolationForestTraining& training,
                          const Progress& progress) {
  std::visit(
      [&]<class Scalar>(const SparseView<Scalar>& x) {
        require_samples(kFit, x, 0, missing_policy(parameters_));
        grow(x, training, progress);
      },
      samples);
}

template <class Rows>
void IsolationForest::grow(const Rows& x, const IsolationForestTraining& training,
                           const Progress& progress) {
  const auto& p = parameters_;
  const auto n_rows = static_cast<std::size_t>(x.rows());
  const std::size_t n_features = n_features_of(x);
  require(n_rows <= std::numeric_limits<std::int32_t>::max(),
          "{}: expected fewer than 2^31 samples, got {}", kFit, n_rows);
  require(p.max_features <= n_features, "{}: expected at least max_features = {} features, got {}",
          kFit, p.max_features, n_features);
  require_weights(training.sample_weight, n_rows);
  const detect::RowSampler sampler(n_rows, training.sample_weight, p.bootstrap);

  auto grown = std::make_unique<State>();
  grown->n_features = n_features;
  grown->subsample_size = std::min(p.max_samples, p.bootstrap ? n_rows : sampler.n_drawable());
  grown->depth = detect::tree_depth(grown->subsample_size);
  grown->resize(p.n_estimators);
  grown->n_grown = p.n_estimators;
  std::size_t n_kept = 0;
  if (training.warm_start != nullptr) {
    training.warm_start->require_fitted("IsolationForest::fit: the forest to start from");
    const State& first = *training.warm_start->state_;
    grown->require_alike(kFit, first);
    require(training.warm_start->parameters_.route_missing == p.route_missing,
            "{}: expected a forest to start from with the same handling of missing values", kFit);
    require(first.n_trees <= p.n_estimators,
            "{}: expected n_estimators of at least {}, the trees there are, got {}", kFit,
            first.n_trees, p.n_estimators);
    grown->copy_trees(first);
    n_kept = first.n_trees;
  }
  const TreeBuilder builder(x, n_features, p, sampler, grown->subsample_size, grown->depth,
                            p.n_estimators - n_kept);
  parallel_for(
      p.n_estimators - n_kept, 1, resolve_threads(p.n_jobs),
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = n_kept + begin; i < n_kept + end; ++i) builder.grow(i, grown->tree(i));
      },
      progress);
  std::swap(state_, grown);
  if (!p.contamination) return;
  try {
    set_offset(x, sampler.weights());
  } catch (...) {
    std::swap(state_, grown);
    throw;
  }
}

void IsolationForest::partial_fit(SampleView samples, const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const auto& p = parameters_;
    if (state_->n_features == 0)
      require_samples("IsolationForest::partial_fit", x, missing_policy(p));
    else
      require_samples("IsolationForest::partial_fit", x, state_->n_features, missing_policy(p));
    const auto n_features = static_cast<std::size_t>(x.cols());
    require(p.max_features <= n_features,
            "IsolationForest::partial_fit: expected at least max_features = {} features, got {}",
            p.max_features, n_features);

    const std::size_t needed = fitted() ? state_->subsample_size : p.max_samples;
    const bool grows = n_pending() + static_cast<std::size_t>(x.rows()) >= needed;
    // Rows that are only collected are added in place. Trees are grown on a copy, which then
    // replaces the state.
    auto copy = grows ? std::make_unique<State>(*state_) : nullptr;
    State& next = grows ? *copy : *state_;
    if (grows) next.own_trees();
    next.n_features = n_features;
    next.pending.reserve(next.pending.size() + static_cast<std::size_t>(x.rows() * x.cols()));
    constexpr auto kLargest = static_cast<Scalar>(std::numeric_limits<float>::max());
    for (Index i = 0; i < x.rows(); ++i)
      for (Index j = 0; j < x.cols(); ++j)
        next.pending.push_back(static_cast<float>(std::clamp(x(i, j), -kLargest, kLargest)));
    if (!grows) return;

    const std::size_t n_blocks = next.pending.size() / n_features / needed;
    for (std::size_t block = 0; block < n_blocks; ++block) {
      const MatrixView<float> rows(next.pending.data() + block * needed * n_features,
                                   static_cast<Index>(needed), x.cols());
      std::size_t n_new = p.n_estimators;
      if (next.n_trees == 0) {
        next.subsample_size = needed;
        next.depth = detect::tree_depth(needed);
        next.resize(p.n_estimators);
      } else {
        n_new = static_cast<std::size_t>(
            std::ceil(p.refresh_fraction * static_cast<double>(next.n_trees)));
      }
      const detect::RowSampler sampler(needed, {}, p.bootstrap);
      const TreeBuilder builder(rows, n_features, p, sampler, needed, next.depth, n_new);
      parallel_for(
          n_new, 1, resolve_threads(p.n_jobs),
          [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
              const std::size_t index = (next.oldest + i) % next.n_trees;
              next.clear_tree(index);
              builder.grow(next.n_grown + i, next.tree(index));
            }
          },
          progress);
      next.oldest = (next.oldest + n_new) % next.n_trees;
      next.n_grown += n_new;
    }
    const auto used = static_cast<std::ptrdiff_t>(n_blocks * needed * n_features);
    next.pending.erase(next.pending.begin(), next.pending.begin() + used);
    next.offset_is_stale = p.contamination.has_value();
    state_ = std::move(copy);
  });
}

void IsolationForest::score_samples(SampleView samples, std::span<double> scores) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    require_fitted(kScore);
    const Missing missing = missing_policy(parameters_);
    require_sample_shape(kScore, x, state_->n_features);
    if (missing == Missing::allow_nan) require_samples(kScore, x, missing);
    // Otherwise values are checked block by block; after a failure the whole input is checked, so
    // that the error names the first bad value.
    const auto check = [&](MatrixView<Scalar> rows) {
      if (missing == Missing::refuse && !all_finite(rows)) require_samples(kScore, x, missing);
    };
    const auto n_rows = static_cast<std::size_t>(x.rows());
    require_output(scores, n_rows);
    const auto forest = state_->view();
    const detect::RowPacker<Scalar> packer(state_->n_features, parameters_.route_missing);
    if (n_rows < kGroupRows / 2) {
      check(x);
      const auto score = state_->scorer();
      for (std::size_t i = 0; i < n_rows; ++i) {
        const auto row = packer.pack(x.middle_rows(static_cast<Index>(i), 1));
        scores[i] = score(detect::path_length_sum(forest, row.keys));
      }
      return;
    }
    score_blocks(*state_, forest, packer.n_columns(), parameters_.n_jobs, scores,
                 [&](std::size_t begin, std::size_t end) {
                   const auto block =
                       x.middle_rows(static_cast<Index>(begin), static_cast<Index>(end - begin));
                   check(block);
                   return packer.pack(block);
                 });
  });
}

void IsolationForest::score_samples(const SparseSampleView& samples,
                                    std::span<double> scores) const {
  std::visit(
      [&]<class Scalar>(const SparseView<Scalar>& x) {
        require_fitted(kScore);
        require_samples(kScore, x, state_->n_features, missing_policy(parameters_));
        require_output(scores, static_cast<std::size_t>(x.rows()));
        const detect::SparseRowPacker<Scalar> packer(state_->view(), state_->n_features,
                                                     parameters_.route_missing);
        score_blocks(
            *state_, packer.forest(), packer.n_columns(), parameters_.n_jobs, scores,
            [&](std::size_t begin, std::size_t end) { return packer.pack(x, begin, end); });
      },
      samples);
}

void IsolationForest::feature_contributions(SampleView samples,
                                            std::span<double> contributions) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    require_fitted("IsolationForest::feature_contributions");
    require_samples("IsolationForest::feature_contributions", x, state_->n_features,
                    missing_policy(parameters_));
    const std::size_t n_features = state_->n_features;
    const auto n_rows = static_cast<std::size_t>(x.rows());
    require(contributions.size() == n_rows * n_features,
            "IsolationForest::feature_contributions: expected an output of {} values, got {}",
            n_rows * n_features, contributions.size());

    const auto n_trees = static_cast<double>(state_->n_trees);
    parallel_for(n_rows, 1, resolve_threads(parameters_.n_jobs),
                 [&](std::size_t begin, std::size_t end) {
                   const detect::RowPacker<Scalar> packer(n_features, parameters_.route_missing);
                   std::vector<std::uint32_t> keys(packer.n_columns());
                   for (std::size_t i = begin; i < end; ++i) {
                     packer.pack_row(x.row(static_cast<Index>(i)).data(), keys.data());
                     const auto row = contributions.subspan(i * n_features, n_features);
                     std::ranges::fill(row, 0.0);
                     for (std::size_t t = 0; t < state_->n_trees; ++t)
                       detect::add_tree_shap(state_->tree(t), state_->depth, keys.data(), row);
                     for (double& value : row)
                       value /= -n_trees;  // shorter paths are more anomalous
                   }
                 });
  });
}

void IsolationForest::fit_offset(SampleView samples) {
  samples.visit([&](const auto& x) { set_offset(x, {}); });
}

void IsolationForest::fit_offset(const SparseSampleView& samples) {
  std::visit([&](const auto& x) { set_offset(x, {}); }, samples);
}

template <class Rows>
void IsolationForest::set_offset(const Rows& x, std::span<const double> weights) {
  require(parameters_.contamination.has_value(),
          "IsolationForest::fit_offset: the offset is fixed at -0.5 unless contamination is set");
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  score_samples(x, scores);
  const double fraction = *parameters_.contamination;
  state_->offset = weights.empty() ? quantile(std::move(scores), fraction)
                                   : weighted_quantile(scores, weights, fraction);
  state_->offset_is_stale = false;
}

}  // namespace secondlook
