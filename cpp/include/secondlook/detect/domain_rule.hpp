#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Limits of a feature that hold in normal operation, as stated by a domain expert. To limit a rate
/// of change, make the rate a feature.
struct DomainRule {
  std::size_t feature = 0;  ///< index of the feature
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
  std::string reason = {};  ///< explanation that is appended to the report; may be empty

  bool operator==(const DomainRule&) const = default;
};

template <FieldsOf<DomainRule> T>
void for_each_field(T& d, auto&& use) {
  use("feature", d.feature);
  use("lower", d.lower);
  use("upper", d.upper);
  use("reason", d.reason);
}

/// Amount by which a value exceeds the nearer of the rule's limits; negative within them.
[[nodiscard]] SECONDLOOK_EXPORT double excess(const DomainRule& rule, double value) noexcept;

/// For a value beyond a limit, for example `temperature 61.2 above 60 (thermal runaway)`.
[[nodiscard]] SECONDLOOK_EXPORT std::string describe_breach(const DomainRule& rule, double value,
                                                            const std::string& feature_name);

/// @throws InvalidArgument for an unknown feature, NaN, and a lower limit that is not below the
///   upper one
SECONDLOOK_EXPORT void check_rule(const DomainRule& rule, std::size_t n_features);

}  // namespace secondlook
