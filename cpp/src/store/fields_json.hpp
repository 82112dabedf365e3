#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/validation.hpp"
#include "secondlook/core/fields.hpp"
#include "store/strict_json.hpp"

namespace secondlook {

/// What the JSON value of a field of this type must be, for errors.
template <class Value>
[[nodiscard]] constexpr std::string_view expected_json() {
  if constexpr (std::same_as<Value, bool>) return "true or false";
  if constexpr (std::same_as<Value, std::string>) return "a string";
  if constexpr (requires(const Value& value) { value.size(); }) return "a valid list";
  return "a valid value";
}

/// Converts the fields of `fields` to a JSON object.
template <HasFields Struct>
[[nodiscard]] StrictJson fields_to_json(const Struct& fields) {
  StrictJson object = StrictJson::object();
  for_each_field(
      fields, [&](std::string_view name, const auto& value) { object[std::string(name)] = value; });
  return object;
}

/// Reads fields from a JSON object; missing fields keep their values.
/// @param who beginning of the messages; may be empty
/// @throws InvalidArgument if it is not an object, a field is unknown, or a value has another type
template <HasFields Struct>
void read_fields(std::string_view who, const StrictJson& object, Struct& fields) {
  const std::string before = who.empty() ? "" : std::string(who) + ": ";
  require(object.is_object(), "{}expected an object, got {}", before, object.type_name());
  std::map<std::string_view, const StrictJson*> members;
  for (const auto& item : object.items()) members[current_name<Struct>(item.key())] = &item.value();
  for_each_field(fields, [&](std::string_view name, auto& value) {
    const auto found = members.find(name);
    if (found == members.end()) return;
    try {
      found->second->get_to(value);
    } catch (const nlohmann::json::exception&) {
      require(false, "{}{}: expected {}, got {}", before, name,
              expected_json<std::remove_cvref_t<decltype(value)>>(), found->second->dump());
    } catch (const InvalidArgument& error) {
      require(false, "{}{}: {}", before, name, error.what());
    }
    members.erase(found);
  });
  require(members.empty(), "{}unknown parameter '{}'", before,
          members.empty() ? std::string_view() : members.begin()->first);
}

template <HasFields Struct>
[[nodiscard]] Struct fields_from_json(std::string_view who, const StrictJson& object) {
  Struct fields{};
  read_fields(who, object, fields);
  return fields;
}

}  // namespace secondlook
