#pragma once

#include <algorithm>
#include <cmath>

namespace secondlook::decide {

/// P(sup |Brownian bridge| > x): Kolmogorov's limiting distribution.
inline double kolmogorov_tail(double x) {
  // Below 0.2 the series converges slowly, and the value is 1 to 13 digits.
  if (x < 0.2) return 1;
  double sum = 0;
  for (int k = 1; k <= 100; ++k) {
    const double term = std::exp(-2.0 * k * k * x * x);
    sum += k % 2 == 1 ? term : -term;
    if (term < 1e-17) break;
  }
  return std::clamp(2 * sum, 0.0, 1.0);
}

}  // namespace secondlook::decide
