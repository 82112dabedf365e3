#include "detect/surprise/trend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/validation.hpp"

namespace secondlook::detect {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLargestOffset = 1e150;  // beyond, differences of samples would overflow
constexpr double kLeastT = 8;             // t-statistic of a slope that is a trend
constexpr double kRounding = 1e-9;        // of the values: a smaller rise is rounding

}  // namespace

double Trend::remove(double sample) {
  const double detrended = sample - offset_;
  if (!std::isnan(sample)) {
    sum_ += sample;
    ++count_;
  }
  ++time_;
  offset_ += slope_;
  if (std::abs(offset_) > kLargestOffset) offset_ = 0;
  if (time_ % kBlock == 0) end_block();
  return detrended;
}

void Trend::Level::push(double mean) {
  if (std::isnan(mean)) {
    count = 0;
    return;
  }
  if (count == kMeans)
    std::shift_left(means.begin(), means.end(), 1);
  else
    ++count;
  means[count - 1] = mean;
}

double Trend::Level::slope() const {
  if (count < kMeans) return 0;
  constexpr double kCentre = (kMeans - 1) / 2.0;
  double mean = 0;
  double largest = 0;
  for (const double value : means) {
    mean += value / kMeans;
    largest = std::max(largest, std::abs(value));
  }
  double covariance = 0;
  double variance = 0;
  for (std::size_t k = 0; k < kMeans; ++k) {
    const double x = static_cast<double>(k) - kCentre;
    covariance += x * (means[k] - mean);
    variance += x * x;
  }
  const double slope = covariance / variance;
  if (std::abs(slope) * kMeans <= kRounding * largest) return 0;
  double residuals = 0;
  for (std::size_t k = 0; k < kMeans; ++k) {
    const double x = static_cast<double>(k) - kCentre;
    residuals += std::pow((means[k] - mean - slope * x) / slope, 2);  // in slopes: no overflow
  }
  const double error = std::sqrt(residuals / (kMeans - 2) / variance);
  return error * kLeastT <= 1 ? slope : 0;
}

// A block with more than half of its samples missing has no mean, nor has any longer block that
// contains it.
void Trend::end_block() {
  double mean = 2 * count_ >= kBlock ? sum_ / static_cast<double>(count_) : kNaN;
  sum_ = 0;
  count_ = 0;
  const std::int64_t n_blocks = time_ / kBlock;
  for (std::size_t i = 0; i < kLevels; ++i) {
    Level& level = levels_[i];
    level.push(mean);
    if ((n_blocks >> i) % 2 == 1) {
      level.waiting = mean;
      break;
    }
    mean = level.waiting / 2 + mean / 2;
  }
  slope_ = slope();
}

double Trend::slope() const {
  for (std::size_t i = 0; i < kLevels; ++i) {
    const double slope = levels_[i].slope();
    if (slope != 0) return slope / static_cast<double>(kBlock << i);
  }
  return 0;
}

SurpriseStream::Trend Trend::state() const {
  SurpriseStream::Trend state{.time = time_, .count = count_, .sum = sum_, .offset = offset_};
  for (const Level& level : levels_) {
    state.means.emplace_back(level.means.begin(),
                             level.means.begin() + static_cast<std::ptrdiff_t>(level.count));
    state.waiting.push_back(level.waiting);
  }
  return state;
}

void Trend::restore(const SurpriseStream::Trend& state) {
  const auto is_level = [](const std::vector<double>& means) {
    return means.size() <= kMeans &&
           std::ranges::all_of(means, [](double v) { return std::isfinite(v); });
  };
  require(state.time >= 0 && state.count >= 0 && state.count <= state.time % kBlock &&
              std::isfinite(state.sum) && std::abs(state.offset) <= kLargestOffset &&
              state.means.size() == kLevels && state.waiting.size() == kLevels &&
              std::ranges::all_of(state.means, is_level) &&
              std::ranges::none_of(state.waiting, [](double v) { return std::isinf(v); }),
          "SurpriseStream: invalid state: inconsistent trend of {} samples", state.time);
  time_ = state.time;
  count_ = state.count;
  sum_ = state.sum;
  offset_ = state.offset;
  for (std::size_t i = 0; i < kLevels; ++i) {
    levels_[i] = {};
    levels_[i].count = state.means[i].size();
    std::ranges::copy(state.means[i], levels_[i].means.begin());
    levels_[i].waiting = state.waiting[i];
  }
  slope_ = slope();
}

}  // namespace secondlook::detect
