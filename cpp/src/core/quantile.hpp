#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
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

/// Smallest value whose weight, with that of the smaller ones, reaches the fraction of all: as in
/// numpy.quantile with weights and method "inverted_cdf".
/// @param weights one per value, at least 0, one of them positive
inline double weighted_quantile(std::span<const double> values, std::span<const double> weights,
                                double fraction) {
  std::vector<std::pair<double, double>> pairs;
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (weights[i] == 0) continue;
    pairs.emplace_back(values[i], weights[i]);
    total += weights[i];
  }
  std::ranges::sort(pairs);
  double reached = 0;
  for (const auto& [value, weight] : pairs) {
    reached += weight;
    if (reached >= fraction * total) return value;
  }
  return pairs.back().first;
}

}  // namespace secondlook
