#include "secondlook/detect/isolation_forest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/quantile.hpp"
#include "core/validation.hpp"
#include "detect/forest/isolation_forest_state.hpp"
#include "detect/forest/tree_shap.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

using detect::kGroupRows;

namespace {

constexpr std::size_t kMinParallelRows = 1024;

// Converts a row of values to keys; the key of a missing value is `missing`.
template <class Scalar>
void to_keys(const Scalar* values, std::size_t n, std::uint32_t missing, std::uint32_t* keys) {
  constexpr auto kLargest = static_cast<Scalar>(std::numeric_limits<float>::max());
  for (std::size_t i = 0; i < n; ++i) {
    const Scalar saturated = std::min(std::max(values[i], -kLargest), kLargest);
    const std::uint32_t key = detect::ordered_key(static_cast<float>(saturated) + 0.0F);
    keys[i] = values[i] == values[i] ? key : missing;
  }
}

// Draws `n` of {0, …, total − 1} without replacement (Floyd; Bentley 1987), in no particular order.
std::vector<std::uint32_t> draw_rows(std::size_t n, std::size_t total, RandomStream& random) {
  std::vector<std::uint32_t> rows;
  rows.reserve(n);
  if (n == total) {
    rows.resize(n);
    std::iota(rows.begin(), rows.end(), 0U);
    return rows;
  }
  // Hash table with open addressing, at most half full; 0 marks an empty slot.
  std::vector<std::size_t> taken(std::bit_ceil(2 * n + 1), 0);
  const auto take = [&taken](std::size_t row) {
    std::size_t slot = (row * 0x9e3779b97f4a7c15U) >> 20;
    for (;; ++slot) {
      std::size_t& entry = taken[slot & (taken.size() - 1)];
      if (entry == row + 1) return false;
      if (entry != 0) continue;
      entry = row + 1;
      return true;
    }
  };
  for (std::size_t last = total - n; last < total; ++last) {
    const std::size_t row = random.below(last + 1);
    rows.push_back(static_cast<std::uint32_t>(take(row) ? row : (take(last), last)));
  }
  return rows;
}

// Column-major keys of the given rows, the layout in which trees are grown.
template <class Scalar>
std::vector<std::uint32_t> to_columns(MatrixView<Scalar> x, std::span<const std::uint32_t> rows) {
  // A few rows at a time: columns that lie a power of two apart would compete for cache lines.
  constexpr std::size_t kTile = 16;
  const auto n_features = static_cast<std::size_t>(x.cols());
  std::vector<std::uint32_t> tile(kTile * n_features);
  std::vector<std::uint32_t> columns(rows.size() * n_features);
  for (std::size_t begin = 0; begin < rows.size(); begin += kTile) {
    const std::size_t count = std::min(kTile, rows.size() - begin);
    for (std::size_t i = 0; i < count; ++i)
      to_keys(x.row(rows[begin + i]).data(), n_features, detect::kMissingHigh,
              &tile[i * n_features]);
    for (std::size_t column = 0; column < n_features; ++column)
      for (std::size_t i = 0; i < count; ++i)
        columns[column * rows.size() + begin + i] = tile[i * n_features + column];
  }
  return columns;
}

// Grows trees on random rows of a table.
template <class Scalar>
class TreeBuilder {
 public:
  TreeBuilder(MatrixView<Scalar> x, const IsolationForestParameters& parameters,
              std::size_t subsample_size, unsigned depth, std::size_t n_trees)
      : x_(x), parameters_(parameters), subsample_size_(subsample_size), depth_(depth) {
    // A small table, whose rows are drawn repeatedly, is converted to keys once.
    constexpr std::size_t kSmall = 16384;
    const auto n_rows = static_cast<std::size_t>(x.rows());
    if (n_rows > kSmall || n_rows >= n_trees * subsample_size) return;
    std::vector<std::uint32_t> all(n_rows);
    std::iota(all.begin(), all.end(), 0U);
    shared_keys_ = to_columns(x, all);
  }

  void grow(std::uint64_t number, detect::TreeView tree) const {
    RandomStream random(parameters_.seed, number);
    const auto n_features = static_cast<std::uint32_t>(x_.cols());
    std::vector<std::uint32_t> features(n_features);
    std::iota(features.begin(), features.end(), 0U);
    // Selecting all features equals selecting none: no draw, so the trees are the same.
    if (parameters_.max_features > 0 && parameters_.max_features < n_features) {
      for (std::size_t i = 0; i < parameters_.max_features; ++i)
        std::swap(features[i], features[i + random.below(n_features - i)]);
      features.resize(parameters_.max_features);
    }
    auto rows = draw_rows(subsample_size_, static_cast<std::size_t>(x_.rows()), random);
    std::vector<std::uint32_t> sampled_keys;
    if (shared_keys_.empty()) {
      sampled_keys = to_columns(x_, rows);
      std::iota(rows.begin(), rows.end(), 0U);
    }
    const auto& keys = shared_keys_.empty() ? sampled_keys : shared_keys_;
    detect::grow_tree(
        {keys, keys.size() / n_features, rows, features, n_features, parameters_.route_missing},
        depth_, random, tree);
  }

 private:
  MatrixView<Scalar> x_;
  const IsolationForestParameters& parameters_;
  std::size_t subsample_size_;
  unsigned depth_;
  std::vector<std::uint32_t> shared_keys_;
};

// Converts rows to keys in the kernel's layout, in thread-local buffers.
template <class Scalar>
class RowPacker {
 public:
  RowPacker(std::size_t n_features, bool route_missing)
      : n_features_(n_features), n_columns_(route_missing ? 2 * n_features : n_features) {}

  [[nodiscard]] std::size_t n_columns() const { return n_columns_; }

  void pack_row(const Scalar* row, std::uint32_t* keys) const {
    to_keys(row, n_features_, detect::kMissingHigh, keys);
    if (n_columns_ > n_features_)
      to_keys(row, n_features_, detect::kMissingLow, keys + n_features_);
  }

  // Unused lanes of the last group keep their old contents: their sums are not read.
  detect::PackedRows pack(MatrixView<Scalar> x) const {
    thread_local std::vector<std::uint32_t> keys;
    thread_local std::vector<std::uint32_t> row_keys;
    const auto n_rows = static_cast<std::size_t>(x.rows());
    const std::size_t n_groups = (n_rows + kGroupRows - 1) / kGroupRows;
    keys.resize(n_groups * n_columns_ * kGroupRows);
    row_keys.resize(n_columns_);
    for (std::size_t i = 0; i < n_rows; ++i) {
      pack_row(x.row(static_cast<Index>(i)).data(), row_keys.data());
      std::uint32_t* group = &keys[i / kGroupRows * n_columns_ * kGroupRows + i % kGroupRows];
      for (std::size_t column = 0; column < n_columns_; ++column)
        group[column * kGroupRows] = row_keys[column];
    }
    return {keys.data(), n_groups, n_columns_};
  }

 private:
  std::size_t n_features_;
  std::size_t n_columns_;
};

// Number of rows that are scored together, tree by tree. Shallow trees are small, so the keys of a
// block should stay in the first-level cache. A deep tree should serve many rows while it is in the
// second-level cache.
std::size_t block_rows(std::size_t n_columns, std::size_t tree_size) {
  constexpr std::size_t kKeyBytes = 16 * 1024;
  constexpr std::size_t kDeepTree = 4096;
  if (tree_size >= kDeepTree) return 256 * kGroupRows;
  const std::size_t group_bytes = n_columns * kGroupRows * sizeof(std::uint32_t);
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
  require(theirs.n_features == state_->n_features,
          "IsolationForest::merge: expected a forest over {} features, got {}", state_->n_features,
          theirs.n_features);
  require(theirs.subsample_size == state_->subsample_size,
          "IsolationForest::merge: expected a forest grown on {} rows per tree, got {}",
          state_->subsample_size, theirs.subsample_size);
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

Missing missing_policy(const IsolationForestParameters& parameters) {
  return parameters.route_missing ? Missing::allow_nan : Missing::refuse;
}

}  // namespace

void IsolationForest::fit(SampleView samples, const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const auto& p = parameters_;
    require_samples("IsolationForest::fit", x, missing_policy(p));
    require(x.rows() <= std::numeric_limits<std::int32_t>::max(),
            "IsolationForest::fit: expected fewer than 2^31 samples, got {}", x.rows());
    const auto n_features = static_cast<std::size_t>(x.cols());
    require(p.max_features <= n_features,
            "IsolationForest::fit: expected at least max_features = {} features, got {}",
            p.max_features, n_features);

    auto grown = std::make_unique<State>();
    grown->n_features = n_features;
    grown->subsample_size = std::min(p.max_samples, static_cast<std::size_t>(x.rows()));
    grown->depth = detect::tree_depth(grown->subsample_size);
    grown->resize(p.n_estimators);
    grown->n_grown = p.n_estimators;
    const TreeBuilder builder(x, p, grown->subsample_size, grown->depth, p.n_estimators);
    parallel_for(
        p.n_estimators, 1, resolve_threads(p.n_jobs),
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) builder.grow(i, grown->tree(i));
        },
        progress);
    std::swap(state_, grown);
    if (!p.contamination) return;
    try {
      fit_offset(x);
    } catch (...) {
      std::swap(state_, grown);
      throw;
    }
  });
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
      const TreeBuilder builder(rows, p, needed, next.depth, n_new);
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
    constexpr const char* kWho = "IsolationForest::score_samples";
    require_fitted(kWho);
    const Missing missing = missing_policy(parameters_);
    require_sample_shape(kWho, x, state_->n_features);
    if (missing == Missing::allow_nan) require_samples(kWho, x, missing);
    // Otherwise values are checked block by block; after a failure the whole input is checked, so
    // that the error names the first bad value.
    const auto check = [&](MatrixView<Scalar> rows) {
      if (missing == Missing::refuse && !all_finite(rows)) require_samples(kWho, x, missing);
    };
    const auto n_rows = static_cast<std::size_t>(x.rows());
    require(scores.size() == n_rows,
            "IsolationForest::score_samples: expected an output of {} scores, got {}", n_rows,
            scores.size());

    const auto forest = state_->view();
    const double average = detect::average_path_length(static_cast<double>(state_->subsample_size));
    const double longest = static_cast<double>(forest.n_trees) * average;
    // A tree grown on equal rows is a single leaf with the average path length in float32. Such
    // rows are as normal as possible: rounding must not move their score away from -0.5.
    const double single_leaf_sum =
        static_cast<double>(forest.n_trees) * static_cast<double>(static_cast<float>(average));
    const auto score = [=](double sum) {
      return sum == single_leaf_sum ? -0.5 : -std::exp2(-sum / longest);
    };

    const RowPacker<Scalar> packer(state_->n_features, parameters_.route_missing);
    if (n_rows < kGroupRows / 2) {
      check(x);
      for (std::size_t i = 0; i < n_rows; ++i) {
        const auto row = packer.pack(x.middle_rows(static_cast<Index>(i), 1));
        scores[i] = score(detect::path_length_sum(forest, row.keys));
      }
      return;
    }

    const std::size_t grain = block_rows(packer.n_columns(), state_->tree_size());
    parallel_for(n_rows, grain, n_rows < kMinParallelRows ? 1 : resolve_threads(parameters_.n_jobs),
                 [&](std::size_t begin, std::size_t end) {
                   thread_local std::vector<double> sums;
                   const auto block =
                       x.middle_rows(static_cast<Index>(begin), static_cast<Index>(end - begin));
                   check(block);
                   const auto rows = packer.pack(block);
                   sums.assign(rows.n_groups * kGroupRows, 0);
                   detect::add_path_lengths(forest, rows, sums.data());
                   for (std::size_t i = begin; i < end; ++i) scores[i] = score(sums[i - begin]);
                 });
  });
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
                   const RowPacker<Scalar> packer(n_features, parameters_.route_missing);
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
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    require(parameters_.contamination.has_value(),
            "IsolationForest::fit_offset: the offset is fixed at -0.5 unless contamination is set");
    std::vector<double> scores(static_cast<std::size_t>(x.rows()));
    score_samples(x, scores);
    state_->offset = quantile(std::move(scores), *parameters_.contamination);
    state_->offset_is_stale = false;
  });
}

}  // namespace secondlook
