#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace secondlook {

/// Quantile of the last samples of a stream. O(window) memory moved a sample; for hundreds of
/// samples that is less than searching a tree.
class RecentQuantile {
 public:
  /// @param window samples, at least 1
  RecentQuantile(std::size_t window, double probability)
      : window_(window), probability_(probability) {}

  /// Adds a finite sample; the oldest goes once there are more than `window`.
  void push(double sample) {
    if (ring_.size() < window_) {
      ring_.push_back(sample);
      sorted_.insert(std::ranges::upper_bound(sorted_, sample), sample);
      return;
    }
    // One shift of what lies between the place left and the place taken.
    const auto left = std::ranges::lower_bound(sorted_, ring_[oldest_]);
    const auto taken = std::ranges::upper_bound(sorted_, sample);
    if (taken > left) {
      std::copy(left + 1, taken, left);
      *(taken - 1) = sample;
    } else {
      std::copy_backward(taken, left, left + 1);
      *taken = sample;
    }
    ring_[oldest_] = sample;
    oldest_ = (oldest_ + 1) % window_;
  }

  /// Linear between the order statistics; NaN before the first sample.
  [[nodiscard]] double value() const noexcept {
    if (sorted_.empty()) return std::numeric_limits<double>::quiet_NaN();
    const double place = probability_ * static_cast<double>(sorted_.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto above = std::min(below + 1, sorted_.size() - 1);
    return sorted_[below] +
           (sorted_[above] - sorted_[below]) * (place - static_cast<double>(below));
  }

  [[nodiscard]] std::size_t size() const noexcept { return ring_.size(); }

  /// The samples, oldest first: pushed again they lead to the same state.
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
  std::size_t oldest_ = 0;  // in the ring, once it is full
};

}  // namespace secondlook
