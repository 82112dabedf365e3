#include "secondlook/decide/running_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr std::int64_t kMarkers = 5;

// Ranks that the markers should have among `count` samples.
std::array<double, kMarkers> desired_positions(double probability, std::int64_t count) {
  const double last = static_cast<double>(count) - 1;
  return {1, 1 + last * probability / 2, 1 + last * probability, 1 + last * (1 + probability) / 2,
          1 + last};
}

// Height of marker i after a move by `step`, −1 or 1: on the parabola through it and its
// neighbours, or on the line if the parabola would break their order.
double moved_height(const RunningQuantile::State& s, std::size_t i, int step) {
  const auto& h = s.heights;
  const auto& n = s.positions;
  const double below = n[i] - n[i - 1];
  const double above = n[i + 1] - n[i];
  const double parabolic = h[i] + step / (below + above) *
                                      ((below + step) * (h[i + 1] - h[i]) / above +
                                       (above - step) * (h[i] - h[i - 1]) / below);
  if (h[i - 1] < parabolic && parabolic < h[i + 1]) return parabolic;
  const std::size_t to = step > 0 ? i + 1 : i - 1;
  return std::lerp(h[i], h[to], 1 / std::abs(n[to] - n[i]));
}

}  // namespace

RunningQuantile::RunningQuantile(double probability) {
  require(probability > 0 && probability < 1,
          "RunningQuantile: probability must lie in (0, 1), got {}", probability);
  state_.probability = probability;
}

RunningQuantile::RunningQuantile(const State& state) : RunningQuantile(state.probability) {
  const auto in_use = std::clamp<std::int64_t>(state.count, 0, kMarkers);
  const auto finite = [](double value) { return std::isfinite(value); };
  const auto step_up = [](double a, double b) { return b - a >= 1; };
  bool consistent = state.count >= 0 && std::ranges::all_of(state.heights, finite) &&
                    std::is_sorted(state.heights.begin(), state.heights.begin() + in_use);
  for (std::size_t i = 1; i < state.positions.size(); ++i)
    consistent = consistent && step_up(state.positions[i - 1], state.positions[i]);
  const auto last = static_cast<double>(std::max(state.count, kMarkers));
  consistent = consistent && state.positions.front() == 1 && state.positions.back() == last;
  require(
      consistent,
      "RunningQuantile: expected the state of a running quantile, got an inconsistent one of {} "
      "samples",
      state.count);
  state_ = state;
}

double RunningQuantile::push(double sample) {
  require(std::isfinite(sample), "RunningQuantile::push: expected a finite sample, got {}", sample);
  auto& h = state_.heights;
  auto& n = state_.positions;
  if (state_.count < kMarkers) {
    const auto end = h.begin() + state_.count++;
    *end = sample;
    std::rotate(std::upper_bound(h.begin(), end, sample), end, end + 1);
    return value();
  }
  h.front() = std::min(h.front(), sample);
  h.back() = std::max(h.back(), sample);
  // Markers above the sample move up by one rank; the last marker always does.
  for (std::size_t i = 1; i < h.size(); ++i)
    if (i + 1 == h.size() || sample < h[i]) ++n[i];
  ++state_.count;

  const auto desired = desired_positions(state_.probability, state_.count);
  for (std::size_t i = 1; i + 1 < h.size(); ++i) {
    const double behind = desired[i] - n[i];
    const bool up = behind >= 1 && n[i + 1] - n[i] > 1;
    const bool down = behind <= -1 && n[i] - n[i - 1] > 1;
    if (!up && !down) continue;
    const int step = up ? 1 : -1;
    h[i] = moved_height(state_, i, step);
    n[i] += step;
  }
  return value();
}

double RunningQuantile::value() const noexcept {
  if (state_.count == 0) return std::numeric_limits<double>::quiet_NaN();
  // The middle marker is within one rank of its desired position, except at first, when the markers
  // of an extreme quantile are too close to each other. Interpolation handles both cases.
  const auto& n = state_.positions;
  const auto& h = state_.heights;
  const double rank = 1 + (static_cast<double>(state_.count) - 1) * state_.probability;
  std::size_t above = 1;
  while (above + 1 < n.size() && n[above] < rank) ++above;
  if (state_.count == 1) return h.front();
  return std::lerp(h[above - 1], h[above], (rank - n[above - 1]) / (n[above] - n[above - 1]));
}

}  // namespace secondlook
