#include "secondlook/learn/page_hinkley.hpp"

#include <algorithm>
#include <cmath>

#include "core/validation.hpp"

namespace secondlook {

PageHinkley::PageHinkley(double tolerance, double threshold, std::int64_t min_samples)
    : PageHinkley(State{tolerance, threshold, min_samples, 0, 0, 0, 0}) {}

PageHinkley::PageHinkley(const State& state) : state_(state) {
  const auto& s = state_;
  require(s.tolerance >= 0 && std::isfinite(s.tolerance),
          "PageHinkley: tolerance must be at least 0, got {}", s.tolerance);
  require(s.threshold > 0 && std::isfinite(s.threshold),
          "PageHinkley: threshold must be above 0, got {}", s.threshold);
  require(s.min_samples >= 1, "PageHinkley: min_samples must be at least 1, got {}", s.min_samples);
  require(s.count >= 0 && std::isfinite(s.mean) && s.rise >= 0 && s.fall >= 0,
          "PageHinkley: invalid state: no {} values lead to it", s.count);
}

bool PageHinkley::push(double value) {
  require(std::isfinite(value), "PageHinkley::push: expected a finite value, got {}", value);
  auto& s = state_;
  ++s.count;
  s.mean += (value - s.mean) / static_cast<double>(s.count);
  s.rise = std::max(0.0, s.rise + (value - s.mean) - s.tolerance);
  s.fall = std::max(0.0, s.fall - (value - s.mean) - s.tolerance);
  if (s.count < s.min_samples || std::max(s.rise, s.fall) <= s.threshold) return false;
  s = {s.tolerance, s.threshold, s.min_samples, 0, 0, 0, 0};
  return true;
}

}  // namespace secondlook
