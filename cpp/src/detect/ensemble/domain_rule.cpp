#include "secondlook/detect/domain_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/validation.hpp"

namespace secondlook {

double excess(const DomainRule& rule, double value) noexcept {
  return std::max(value - rule.upper, rule.lower - value);
}

std::string describe_breach(const DomainRule& rule, double value, const std::string& feature_name) {
  const bool above = value > rule.upper;
  auto text = fmt::format("{} {:.4g} {} {:.4g}", feature_name, value, above ? "above" : "below",
                          above ? rule.upper : rule.lower);
  if (!rule.reason.empty()) text += fmt::format(" ({})", rule.reason);
  return text;
}

void check_rule(const DomainRule& rule, std::size_t n_features) {
  require(rule.feature < n_features, "DomainRule: expected a feature below {}, got {}", n_features,
          rule.feature);
  require(rule.lower < rule.upper,
          "DomainRule: expected a lower limit below the upper one for feature {}, got {} and {}",
          rule.feature, rule.lower, rule.upper);
  require(std::isfinite(rule.lower) || std::isfinite(rule.upper),
          "DomainRule: expected a limit for feature {}, got none", rule.feature);
}

}  // namespace secondlook
