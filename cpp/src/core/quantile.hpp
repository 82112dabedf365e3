#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace secondlook {

/// Quantile of at least one value, linear between the order statistics as numpy.percentile has it.
inline double quantile(std::vector<double> values, double fraction) {
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(place);
  const auto nth = values.begin() + below;
  std::ranges::nth_element(values, nth);
  if (nth + 1 == values.end()) return *nth;
  const double above = *std::min_element(nth + 1, values.end());
  return *nth + (above - *nth) * (place - static_cast<double>(below));
}

}  // namespace secondlook
