#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/validation.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Converts values to and from JSON without implicit conversions: numbers, booleans and strings are
/// not converted into one another, and numbers out of range are errors.
template <class Value, class = void>
struct StrictSerializer : nlohmann::adl_serializer<Value, void> {};

/// Integers; nlohmann's own conversion would also accept −1 and 1e300 for a count.
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

/// Floating-point numbers. JSON has neither infinity nor NaN, so they are "inf", "-inf" and null.
template <class Value>
struct StrictSerializer<Value, std::enable_if_t<std::floating_point<Value>>> {
  template <class Json>
  static void to_json(Json& json, Value value) {
    if (std::isnan(value)) {
      json = nullptr;
    } else if (std::isinf(value)) {
      json = value > 0 ? "inf" : "-inf";
    } else {
      nlohmann::adl_serializer<Value, void>::to_json(json, value);
    }
  }

  template <class Json>
  static void from_json(const Json& json, Value& value) {
    if (json.is_null()) {
      value = std::numeric_limits<Value>::quiet_NaN();
    } else if (json == "inf" || json == "-inf") {
      value = json == "inf" ? std::numeric_limits<Value>::infinity()
                            : -std::numeric_limits<Value>::infinity();
    } else {
      require(json.is_number(), "expected a number, got {}", json.dump());
      nlohmann::adl_serializer<Value, void>::from_json(json, value);
    }
  }
};

/// Enumerations, by the name of the value.
template <class Value>
struct StrictSerializer<Value, std::enable_if_t<NamedEnum<Value>>> {
  template <class Json>
  static void to_json(Json& json, Value value) {
    json = std::string(name_of(value));
  }

  template <class Json>
  static void from_json(const Json& json, Value& value) {
    std::string all;
    for (std::size_t i = 0; i < names_of<Value>.size(); ++i) {
      const std::string_view candidate = names_of<Value>[i];
      if (json.is_string() &&
          current_name<Value>(json.template get_ref<const std::string&>()) == candidate) {
        value = static_cast<Value>(i);
        return;
      }
      all += (i == 0 ? "'" : ", '") + std::string(candidate) + "'";
    }
    require(false, "expected one of {}, got {}", all, json.dump());
  }
};

/// Optional values, with null for none.
template <class Value>
struct StrictSerializer<std::optional<Value>, void> {
  template <class Json>
  static void to_json(Json& json, const std::optional<Value>& value) {
    if (value) {
      json = *value;
    } else {
      json = nullptr;
    }
  }

  template <class Json>
  static void from_json(const Json& json, std::optional<Value>& value) {
    if (json.is_null()) {
      value.reset();
    } else {
      value = json.template get<Value>();
    }
  }
};

/// Structs, as an object of their fields or a list of their values, see `is_written_as_list`.
template <class Value>
struct StrictSerializer<Value, std::enable_if_t<HasFields<Value>>> {
  template <class Json>
  static void to_json(Json& json, const Value& value) {
    if constexpr (is_written_as_list<Value>) {
      json = Json::array();
      for_each_field(value, [&](std::string_view, const auto& field) { json.push_back(field); });
    } else {
      json = fields_to_json(value);
    }
  }

  template <class Json>
  static void from_json(const Json& json, Value& value) {
    if constexpr (is_written_as_list<Value>) {
      std::size_t n = 0;
      for_each_field(value, [&](std::string_view, auto&) { ++n; });
      require(json.is_array() && json.size() == n, "expected a list of {} numbers, got {}", n,
              json.dump());
      std::size_t i = 0;
      for_each_field(value, [&](std::string_view, auto& field) { json[i++].get_to(field); });
    } else {
      read_fields({}, json, value);
    }
  }
};

/// nlohmann::json whose values are converted by `StrictSerializer`.
using StrictJson = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                        std::uint64_t, double, std::allocator, StrictSerializer>;

}  // namespace secondlook
