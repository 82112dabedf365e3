#pragma once

#include <limits>

#include "secondlook/decide/binomial_interval.hpp"

namespace secondlook::decide {

/// A fraction of counts with its exact confidence interval; NaN if `whole` is 0.
inline Estimate estimate_proportion(std::int64_t part, std::int64_t whole, double confidence) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  if (whole == 0) return {kNaN, {kNaN, kNaN}};
  return {static_cast<double>(part) / static_cast<double>(whole),
          binomial_interval(part, whole, confidence)};
}

}  // namespace secondlook::decide
