#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace secondlook::detect {

/// The last values of a stream in contiguous memory: a ring buffer that is stored twice, one copy
/// after the other.
class SlidingWindow {
 public:
  explicit SlidingWindow(std::size_t capacity) : values_(2 * capacity) {}

  void push(double value) {
    const std::size_t capacity = values_.size() / 2;
    values_[next_] = values_[next_ + capacity] = value;
    next_ = next_ + 1 == capacity ? 0 : next_ + 1;
    count_ = std::min(count_ + 1, capacity);
  }

  /// The last `n` values, or fewer if there are fewer; oldest first.
  [[nodiscard]] std::span<const double> last(std::size_t n) const {
    n = std::min(n, count_);
    return {values_.data() + next_ + values_.size() / 2 - n, n};
  }

 private:
  std::vector<double> values_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace secondlook::detect
