#include "detect/surprise/nearest_window.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "detect/surprise/window_kernel.hpp"

namespace secondlook::detect {

NearestWindow::NearestWindow(std::size_t width, std::size_t memory)
    : width_(width),
      memory_(memory),
      stride_(std::max<std::size_t>(1, width / 8)),
      per_phase_((memory + width) / stride_ + 2),
      values_(stride_ * 2 * per_phase_),
      compared_(width),
      starts_(width),
      newest_{stride_ - 1, per_phase_ - 1} {}

void NearestWindow::push(double sample) {
  if (++newest_.phase == stride_) {
    newest_.phase = 0;
    if (++newest_.slot == per_phase_) newest_.slot = 0;
  }
  double* ring = values_.data() + newest_.phase * 2 * per_phase_;
  ring[newest_.slot] = ring[newest_.slot + per_phase_] = sample;
  ++count_;
}

double NearestWindow::distance(std::span<const double> last) {
  const auto width = static_cast<std::int64_t>(width_);
  const std::int64_t newest_end = count_ - 1 - width;
  const std::int64_t oldest_end =
      std::max(width - 1, count_ - 1 - static_cast<std::int64_t>(memory_));
  if (newest_end < oldest_end) return std::numeric_limits<double>::infinity();
  const std::size_t n_windows = static_cast<std::size_t>(newest_end - oldest_end) / stride_ + 1;

  std::size_t n_compared = 0;
  Position position = before(newest_, width_);
  for (std::size_t i = width_; i-- > 0; position = before(position)) {
    if (std::isnan(last[i])) continue;
    const std::size_t copy = position.slot + 1 < n_windows ? per_phase_ : 0;
    compared_[n_compared] = last[i];
    starts_[n_compared] = position.phase * 2 * per_phase_ + position.slot + copy + 1 - n_windows;
    ++n_compared;
  }
  nearest_ = std::min(nearest_, n_windows - 1);
  const double squares = nearest_window(values_.data(), starts_.data(), compared_.data(),
                                        n_compared, n_windows, nearest_);
  return std::sqrt(squares / static_cast<double>(n_compared));
}

std::vector<double> NearestWindow::samples() const {
  const auto n =
      static_cast<std::size_t>(std::min(count_, static_cast<std::int64_t>(memory_ + width_)));
  std::vector<double> samples(n);
  Position position = newest_;
  for (std::size_t i = n; i-- > 0; position = before(position))
    samples[i] = values_[position.phase * 2 * per_phase_ + position.slot];
  return samples;
}

// Avoids the division of the other overload, which would cost time: this is called 84 times per
// sample.
NearestWindow::Position NearestWindow::before(Position position) const {
  if (position.phase > 0) return {position.phase - 1, position.slot};
  return {stride_ - 1, (position.slot > 0 ? position.slot : per_phase_) - 1};
}

NearestWindow::Position NearestWindow::before(Position position, std::size_t n_samples) const {
  std::size_t back = n_samples / stride_;
  const std::size_t rest = n_samples - back * stride_;
  if (position.phase < rest) {
    position.phase += stride_;
    ++back;
  }
  position.phase -= rest;
  position.slot += position.slot < back ? per_phase_ - back : std::size_t{0} - back;
  return position;
}

}  // namespace secondlook::detect
