#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace secondlook {

/// Quantile of at least one value, with linear interpolation as in numpy.percentile.
inline double quantile(std::vector<double> values, double fraction) {
  const double position = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(position);
  const auto nth = values.begin() + below;
  std::ranges::nth_element(values, nth);
  if (nth + 1 == values.end()) return *nth;
  const double above = *std::min_element(nth + 1, values.end());
  return *nth + (above - *nth) * (position - static_cast<double>(below));
}

}  // namespace secondlook
