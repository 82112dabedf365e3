#include "secondlook/decide/false_discovery.hpp"

#include <algorithm>
#include <cmath>

#include "core/validation.hpp"

namespace secondlook {

namespace {

// Conformal p-values are fractions that meet the bounds exactly, apart from rounding.
constexpr double kRounding = 1e-12;

void require_p_values(std::string_view who, std::span<const double> p_values) {
  require(!p_values.empty(), "{}: expected at least 1 p-value, got 0", who);
  for (std::size_t i = 0; i < p_values.size(); ++i)
    require(p_values[i] >= 0 && p_values[i] <= 1,
            "{}: expected p-values in [0, 1], got {} at index {}", who, p_values[i], i);
}

}  // namespace

std::vector<std::uint8_t> benjamini_hochberg(std::span<const double> p_values,
                                             double false_discovery_rate, double null_fraction) {
  require_p_values("benjamini_hochberg", p_values);
  require(false_discovery_rate > 0 && false_discovery_rate < 1,
          "benjamini_hochberg: false_discovery_rate must lie in (0, 1), got {}",
          false_discovery_rate);
  require(null_fraction > 0 && std::isfinite(null_fraction),
          "benjamini_hochberg: null_fraction must be above 0 and finite, got {}", null_fraction);
  std::vector<double> sorted(p_values.begin(), p_values.end());
  std::ranges::sort(sorted);
  const double step =
      false_discovery_rate * (1 + kRounding) / (null_fraction * static_cast<double>(sorted.size()));
  double largest_rejected = -1;
  for (std::size_t i = sorted.size(); i > 0 && largest_rejected < 0; --i)
    if (sorted[i - 1] <= static_cast<double>(i) * step) largest_rejected = sorted[i - 1];
  std::vector<std::uint8_t> rejected(p_values.size());
  std::ranges::transform(p_values, rejected.begin(), [&](double p) {
    return static_cast<std::uint8_t>(p <= largest_rejected);
  });
  return rejected;
}

double storey_null_fraction(std::span<const double> p_values, double cut) {
  require_p_values("storey_null_fraction", p_values);
  require(cut > 0 && cut < 1, "storey_null_fraction: cut must lie in (0, 1), got {}", cut);
  const auto above = std::ranges::count_if(p_values, [&](double p) { return p > cut; });
  return (1 + static_cast<double>(above)) / (static_cast<double>(p_values.size()) * (1 - cut));
}

}  // namespace secondlook
