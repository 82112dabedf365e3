#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

namespace secondlook::detect {

/// Ends training when the loss on held-out rows has not improved for `patience` epochs. Halfway,
/// the learning rate is halved, so that smaller steps are tried on a plateau before training ends.
class EarlyStopping {
 public:
  EarlyStopping(double learning_rate, std::size_t patience)
      : learning_rate_(learning_rate), patience_(std::max<std::size_t>(patience, 1)) {}

  /// Records the loss of an epoch; returns true if it is the lowest so far.
  bool update(double loss) {
    if (loss < best_) {
      best_ = loss;
      n_worse_ = 0;
      return true;
    }
    if (++n_worse_ % std::max<std::size_t>(patience_ / 2, 1) == 0) learning_rate_ /= 2;
    return false;
  }

  [[nodiscard]] bool exhausted() const noexcept { return n_worse_ >= patience_; }
  [[nodiscard]] double learning_rate() const noexcept { return learning_rate_; }

 private:
  double learning_rate_;
  std::size_t patience_;
  double best_ = std::numeric_limits<double>::infinity();
  std::size_t n_worse_ = 0;
};

}  // namespace secondlook::detect
