#include "secondlook/decide/tail_surprise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr double kLargestValue = 1e300;  // a sum of fifty of them is still finite
constexpr double kNone = -std::numeric_limits<double>::infinity();

// Fractions of the range of the values. An excess below the first is a rounding error, not an
// event; the second keeps the mean excess of constant or coarsely quantised values away from 0.
constexpr double kRounding = 1e-6;
constexpr double kLeastMeanExcess = 1e-3;

void require_value(double value) {
  require(std::abs(value) <= kLargestValue,
          "TailSurprise::push: expected a finite value of at most 1e300, got {}", value);
}

TailSurprise::Block empty_block(const TailSurpriseParameters& parameters) {
  const auto n = static_cast<std::size_t>(parameters.largest);
  return {.highest = std::vector<double>(n, kNone),
          .lowest = std::vector<double>(parameters.two_sided ? n : 0, kNone)};
}

// Inserts a value into an ascending list and drops the smallest element.
void insert(std::vector<double>& largest, double value) {
  if (value <= largest.front()) return;
  const auto position = std::ranges::upper_bound(largest, value);
  std::move(largest.begin() + 1, position, largest.begin());
  *(position - 1) = value;
}

void add(TailSurprise::Block& block, double value) {
  block.low = block.count == 0 ? value : std::min(block.low, value);
  block.high = block.count == 0 ? value : std::max(block.high, value);
  ++block.count;
  insert(block.highest, value);
  if (!block.lowest.empty()) insert(block.lowest, -value);
}

bool is_tail(const std::vector<double>& largest, std::size_t expected_size, std::int64_t count) {
  const auto n_values = std::ranges::count_if(largest, [](double v) { return std::isfinite(v); });
  const auto n_none = std::ranges::count(largest, kNone);
  return largest.size() == expected_size && std::ranges::is_sorted(largest) &&
         n_values == std::min<std::int64_t>(count, std::ssize(largest)) &&
         n_values + n_none == std::ssize(largest);
}

bool is_block(const TailSurprise::Block& block, const TailSurpriseParameters& parameters) {
  const auto n = static_cast<std::size_t>(parameters.largest);
  return block.count >= 0 && std::abs(block.low) <= kLargestValue &&
         std::abs(block.high) <= kLargestValue && block.low <= block.high &&
         is_tail(block.highest, n, block.count) &&
         is_tail(block.lowest, parameters.two_sided ? n : 0, block.count);
}

}  // namespace

TailSurprise::TailSurprise(const TailSurpriseParameters& parameters) : parameters_(parameters) {
  const auto& p = parameters;
  require(p.largest >= 2, "TailSurprise: largest must be at least 2, got {}", p.largest);
  require(p.shape >= 0 && p.shape < 1, "TailSurprise: shape must lie in [0, 1), got {}", p.shape);
  require(p.warm_up >= p.largest, "TailSurprise: warm_up must be at least largest {}, got {}",
          p.largest, p.warm_up);
  require(p.block >= p.largest, "TailSurprise: block must be at least largest {}, got {}",
          p.largest, p.block);
  state_ = {.remembered = empty_block(p), .current = empty_block(p)};
}

TailSurprise::TailSurprise(const TailSurpriseParameters& parameters, State state)
    : TailSurprise(parameters) {
  require(state.count >= state.remembered.count && state.current.count < parameters.block &&
              state.current.count <= state.remembered.count &&
              state.remembered.count <= 2 * parameters.block &&
              is_block(state.remembered, parameters) && is_block(state.current, parameters),
          "TailSurprise: expected a consistent state of {} values with the {} largest, got an "
          "inconsistent one",
          state.count, parameters.largest);
  state_ = std::move(state);
}

double TailSurprise::push(double value) {
  require_value(value);
  double surprise = 0;
  if (state_.count >= parameters_.warm_up) {
    surprise = surprise_beyond(state_.remembered.highest, value);
    if (parameters_.two_sided)
      surprise = std::max(surprise, surprise_beyond(state_.remembered.lowest, -value));
  }
  ++state_.count;
  add(state_.remembered, value);
  add(state_.current, value);
  if (state_.current.count == parameters_.block) {
    std::swap(state_.remembered, state_.current);
    state_.current.count = 0;
    std::ranges::fill(state_.current.highest, kNone);
    std::ranges::fill(state_.current.lowest, kNone);
    state_.current.low = state_.current.high = 0;
  }
  return surprise;
}

std::vector<double> TailSurprise::push(std::span<const double> values) {
  std::ranges::for_each(values, require_value);
  std::vector<double> surprises(values.size());
  std::ranges::transform(values, surprises.begin(), [this](double value) { return push(value); });
  return surprises;
}

double TailSurprise::surprise_beyond(const std::vector<double>& largest, double value) const {
  const double start = largest.front();
  const double excess = value - start;
  if (!(excess > kRounding * range())) return 0;
  double sum = 0;
  for (const double other : largest) sum += other - start;
  const double mean = sum / static_cast<double>(largest.size() - 1) + kLeastMeanExcess * range() +
                      1e-12 * std::abs(start) + std::numeric_limits<double>::min();
  const double ratio = excess / mean / (1 - parameters_.shape);
  const double nats =
      parameters_.shape > 0 ? std::log1p(parameters_.shape * ratio) / parameters_.shape : ratio;
  const double fraction =
      static_cast<double>(largest.size()) / static_cast<double>(state_.remembered.count);
  return std::min(nats / std::numbers::ln10 - std::log10(fraction), kMost);
}

}  // namespace secondlook
