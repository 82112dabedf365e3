#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/validation.hpp"

namespace secondlook {

/// Reads integers from integers that fit alone: nlohmann's own conversion makes counts of −1 and
/// 1e300, too.
template <class Value, class = void>
struct StrictSerializer : nlohmann::adl_serializer<Value, void> {};

template <class Value>
struct StrictSerializer<Value, std::enable_if_t<std::integral<Value> && !std::same_as<Value, bool>>>
    : nlohmann::adl_serializer<Value, void> {
  template <class Json>
  static void from_json(const Json& json, Value& value) {
    bool fits = false;
    if (json.is_number_unsigned()) {
      fits = std::in_range<Value>(json.template get_ref<const std::uint64_t&>());
    } else if (json.is_number_integer()) {
      fits = std::in_range<Value>(json.template get_ref<const std::int64_t&>());
    }
    require(fits, "expected an integer from {} to {}, got {}", std::numeric_limits<Value>::min(),
            std::numeric_limits<Value>::max(), json.dump());
    nlohmann::adl_serializer<Value, void>::from_json(json, value);
  }
};

/// nlohmann::json whose integers are read by `StrictSerializer`.
using StrictJson = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                        std::uint64_t, double, std::allocator, StrictSerializer>;

}  // namespace secondlook
