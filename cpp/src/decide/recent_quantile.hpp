#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace secondlook {

/// Quantile of the last samples of a stream. Each sample moves O(window) memory, which for windows
/// of hundreds of samples is faster than a search tree.
class RecentQuantile {
 public:
  /// @param window samples, at least 1
  RecentQuantile(std::size_t window, double probability)
      : window_(window), probability_(probability) {}

  /// Adds a finite sample, and removes the oldest if there are more than `window`.
  void push(double sample) {
    if (ring_.size() < window_) {
      ring_.push_back(sample);
      sorted_.insert(std::ranges::upper_bound(sorted_, sample), sample);
      return;
    }
    // Shifts only the elements between the removed and the inserted one.
    const auto removed = std::ranges::lower_bound(sorted_, ring_[oldest_]);
    const auto inserted = std::ranges::upper_bound(sorted_, sample);
    if (inserted > removed) {
      std::copy(removed + 1, inserted, removed);
      *(inserted - 1) = sample;
    } else {
      std::copy_backward(inserted, removed, removed + 1);
      *inserted = sample;
    }
    ring_[oldest_] = sample;
    oldest_ = (oldest_ + 1) % window_;
  }

  /// Linear interpolation between the order statistics; NaN before the first sample.
  [[nodiscard]] double value() const noexcept {
    if (sorted_.empty()) return std::numeric_limits<double>::quiet_NaN();
    const double position = probability_ * static_cast<double>(sorted_.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const auto above = std::min(below + 1, sorted_.size() - 1);
    return sorted_[below] +
           (sorted_[above] - sorted_[below]) * (position - static_cast<double>(below));
  }

  [[nodiscard]] std::size_t size() const noexcept { return ring_.size(); }

  /// The samples, oldest first; pushing them again restores the same state.
  [[nodiscard]] std::vector<double> samples() const {
    std::vector<double> all(ring_);
    std::ranges::rotate(all, all.begin() + static_cast<std::ptrdiff_t>(oldest_));
    return all;
  }

 private:
  std::size_t window_;
  double probability_;
  std::vector<double> ring_;
  std::vector<double> sorted_;
  std::size_t oldest_ = 0;  // index in the ring, once it is full
};

}  // namespace secondlook
