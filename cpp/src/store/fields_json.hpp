#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/validation.hpp"
#include "secondlook/core/fields.hpp"
#include "store/strict_json.hpp"

namespace secondlook {

/// The fields of `fields` as a JSON object.
template <HasFields Struct>
[[nodiscard]] StrictJson fields_to_json(const Struct& fields) {
  StrictJson object = StrictJson::object();
  for_each_field(
      fields, [&](std::string_view name, const auto& value) { object[std::string(name)] = value; });
  return object;
}

/// Reads fields from a JSON object; those that it lacks keep their values.
/// @param who begins the messages; may be empty
/// @throws InvalidArgument for what is not an object, an unknown field, and a value of another type
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
      require(false, "{}{}: expected a value of another type, got {}", before, name,
              found->second->dump());
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
