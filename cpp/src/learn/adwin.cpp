#include "secondlook/learn/adwin.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr std::size_t kMaxBuckets = 5;     // per level, the authors' M
constexpr std::uint64_t kCheckEvery = 32;  // values between searches for a cut
constexpr std::uint64_t kMinPart = 5;      // values on each side of a cut
constexpr std::size_t kMaxLevels = 63;

Adwin::Bucket operator+(const Adwin::Bucket& a, const Adwin::Bucket& b) {
  return {a.sum + b.sum, a.sum_of_squares + b.sum_of_squares};
}

}  // namespace

Adwin::Adwin(double delta) : Adwin(State{.delta = delta}) {}

Adwin::Adwin(State state) : state_(std::move(state)) {
  require(state_.delta > 0 && state_.delta < 1, "Adwin: delta must lie in (0, 1), got {}",
          state_.delta);
  bool valid = state_.levels.size() <= kMaxLevels;
  for (std::size_t i = 0; valid && i < state_.levels.size(); ++i) {
    valid = state_.levels[i].size() <= kMaxBuckets;
    const double max_sum = std::ldexp(1.0, static_cast<int>(i));
    for (const Bucket& bucket : state_.levels[i]) {
      // Tolerances, as rounding of the sums must not reject a valid state.
      valid = valid && bucket.sum >= 0 && bucket.sum <= max_sum * (1 + 1e-9) &&
              bucket.sum_of_squares >= 0 && bucket.sum_of_squares <= bucket.sum * (1 + 1e-9);
      size_ += std::uint64_t{1} << i;
      total_ = total_ + bucket;
    }
  }
  require(valid && size_ <= state_.n_seen && state_.changed_at <= state_.n_seen,
          "Adwin: invalid state: no sequence of values leads to it");
}

bool Adwin::push(double value) {
  require(value >= 0 && value <= 1, "Adwin::push: expected a value in [0, 1], got {}", value);
  if (state_.levels.empty()) state_.levels.emplace_back();
  const Bucket bucket{value, value * value};
  state_.levels.front().push_back(bucket);
  total_ = total_ + bucket;
  ++size_;
  ++state_.n_seen;
  compress();
  if (state_.n_seen % kCheckEvery != 0) return false;
  // As values arrive after a change, more of the older part can be told apart from them. If the
  // clearest cut lies before the last report, it is the same change, and is not reported again.
  const std::uint64_t cut = clearest_cut();
  while (clearest_cut() > 0) drop_oldest();
  if (cut <= state_.changed_at) return false;
  state_.changed_at = state_.n_seen;
  return true;
}

double Adwin::mean() const noexcept {
  if (size_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return total_.sum / static_cast<double>(size_);
}

// If a level has too many buckets, merges its two oldest into one of the next level.
void Adwin::compress() {
  auto& levels = state_.levels;
  for (std::size_t i = 0; i < levels.size() && levels[i].size() > kMaxBuckets; ++i) {
    if (i + 1 == levels.size()) levels.emplace_back();
    auto& level = levels[i];
    levels[i + 1].push_back(level[0] + level[1]);
    level.erase(level.begin(), level.begin() + 2);
  }
}

// Where the mean of an older part differs from that of the rest by more than the bound of the
// paper, by a normal approximation: sqrt(2 / m · variance · ln(2 / δ')) + 2 / (3 m) · ln(2 / δ').
// Returns the number of the last value, from 1 on, of the older part with the largest ratio of
// difference to bound; 0 if there is none.
std::uint64_t Adwin::clearest_cut() const {
  const auto n = static_cast<double>(size_);
  if (size_ < 2 * kMinPart) return 0;
  const double variance =
      std::max(0.0, total_.sum_of_squares / n - (total_.sum / n) * (total_.sum / n));
  const double log_term = std::log(2 * std::log(n) / state_.delta);
  std::uint64_t n_old = 0;
  double sum_old = 0;
  std::uint64_t clearest = 0;
  double largest_ratio = 1;
  for (std::size_t i = state_.levels.size(); i-- > 0;) {
    for (const Bucket& bucket : state_.levels[i]) {
      n_old += std::uint64_t{1} << i;
      sum_old += bucket.sum;
      if (n_old < kMinPart) continue;
      if (size_ - n_old < kMinPart) return clearest;
      const auto old_count = static_cast<double>(n_old);
      const auto new_count = n - old_count;
      const double inverse_m = 1 / old_count + 1 / new_count;
      const double bound =
          std::sqrt(2 * inverse_m * variance * log_term) + 2.0 / 3 * inverse_m * log_term;
      const double difference = sum_old / old_count - (total_.sum - sum_old) / new_count;
      if (std::abs(difference) <= largest_ratio * bound) continue;
      largest_ratio = std::abs(difference) / bound;
      clearest = state_.n_seen - size_ + n_old;
    }
  }
  return clearest;
}

void Adwin::drop_oldest() {
  auto& levels = state_.levels;
  while (levels.back().empty()) levels.pop_back();
  auto& oldest = levels.back();
  size_ -= std::uint64_t{1} << (levels.size() - 1);
  oldest.erase(oldest.begin());
  while (levels.size() > 1 && levels.back().empty()) levels.pop_back();
  // Recomputes the sum: the rounding errors of repeated subtraction would add up over a long
  // stream.
  total_ = {};
  for (const auto& level : levels)
    for (const Bucket& bucket : level) total_ = total_ + bucket;
}

}  // namespace secondlook
