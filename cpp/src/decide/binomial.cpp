#include "decide/binomial.hpp"

#include <algorithm>
#include <cmath>
#include <unsupported/Eigen/SpecialFunctions>

namespace secondlook::decide {

double binomial_cdf(double k, double n, double p) {
  if (k < 0) return 0;
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  return std::clamp(Eigen::numext::betainc(n - k, k + 1, 1 - p), 0.0, 1.0);
}

std::size_t tolerance_rank(std::size_t n, double rate, double risk) {
  const double odds = std::log(rate) - std::log1p(-rate);
  double log_mass = static_cast<double>(n) * std::log1p(-rate);
  double sum = 0;
  for (std::size_t k = 0; k < n; ++k) {
    sum += std::exp(log_mass);
    if (sum > risk) return k;
    log_mass += std::log(static_cast<double>(n - k) / static_cast<double>(k + 1)) + odds;
  }
  return n;
}

double fewest_for_tolerance(double rate, double risk) {
  constexpr double kRounding = 1e-9;  // so that rounding does not raise a whole number to the next
  return std::max(1.0, std::ceil(std::log(risk) / std::log1p(-rate) * (1 - kRounding)));
}

}  // namespace secondlook::decide
