#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// What a domain expert knows of a feature, as data: the limits that it keeps where all is well. A
/// rate of change is limited where a feature is one.
struct DomainRule {
  std::size_t feature = 0;  ///< index
  double lower = -std::numeric_limits<double>::infinity();
  double upper = std::numeric_limits<double>::infinity();
  std::string reason = {};  ///< why it matters, added to what is reported; may be empty

  bool operator==(const DomainRule&) const = default;
};

template <FieldsOf<DomainRule> T>
void for_each_field(T& d, auto&& use) {
  use("feature", d.feature);
  use("lower", d.lower);
  use("upper", d.upper);
  use("reason", d.reason);
}

/// By how much a value lies beyond the nearer of the rule's limits: negative within them.
[[nodiscard]] SECONDLOOK_EXPORT double excess(const DomainRule& rule, double value) noexcept;

/// Such as `temperature 61.2 above 60 (thermal runaway)`, for a value beyond a limit.
[[nodiscard]] SECONDLOOK_EXPORT std::string describe_breach(const DomainRule& rule, double value,
                                                            const std::string& feature_name);

/// @throws InvalidArgument for a feature that is not there, NaN, or no room between the limits
SECONDLOOK_EXPORT void check_rule(const DomainRule& rule, std::size_t n_features);

}  // namespace secondlook
