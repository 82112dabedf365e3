#pragma once

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/validation.hpp"
#include "store/strict_json.hpp"

namespace secondlook::image {

/// Names of an enumeration's values, in their order; specialised where one goes into JSON.
template <class Enum>
struct EnumNames;

/// Collects named values into a JSON object.
class FieldWriter {
 public:
  template <class Value>
  void operator()(const char* name, const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      object_[name] = EnumNames<Value>::names[static_cast<std::size_t>(value)];
    } else {
      object_[name] = value;
    }
  }

  [[nodiscard]] StrictJson take() { return std::move(object_); }

 private:
  StrictJson object_ = StrictJson::object();
};

/// Reads named values from a JSON object; those it lacks stay as they are. Numbers, booleans and
/// texts are not made of one another.
class FieldReader {
 public:
  /// @throws InvalidArgument for what is not an object
  FieldReader(const char* who, const StrictJson& object) : who_(who), object_(object) {
    require(object.is_object(), "{}: expected an object of parameters, got {}", who,
            object.type_name());
  }

  /// @throws InvalidArgument for a value of another type or out of range
  template <class Value>
  void operator()(const char* name, Value& value) {
    known_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end()) return;
    if constexpr (std::is_enum_v<Value>) {
      read_enum(name, *found, value);
    } else {
      require(!(std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>) || found->is_number(),
              "{}: {}: expected a number, got {}", who_, name, found->dump());
      try {
        found->get_to(value);
      } catch (const nlohmann::json::exception&) {
        require(false, "{}: {}: expected another type, got {}", who_, name, found->dump());
      } catch (const InvalidArgument& error) {
        require(false, "{}: {}: {}", who_, name, error.what());
      }
    }
  }

  /// A member that is an object of its own; nothing where there is none.
  [[nodiscard]] const StrictJson* nested(const char* name) {
    known_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  /// @throws InvalidArgument for a name that nobody asked for
  void finish() const {
    for (const auto& [name, value] : object_.items())
      require(known_.contains(name), "{}: '{}' is no parameter", who_, name);
  }

 private:
  template <class Enum>
  void read_enum(const char* name, const StrictJson& json, Enum& value) const {
    std::string all;
    for (std::size_t i = 0; i < EnumNames<Enum>::names.size(); ++i) {
      const std::string_view candidate = EnumNames<Enum>::names[i];
      if (json.is_string() && json.get_ref<const std::string&>() == candidate) {
        value = static_cast<Enum>(i);
        return;
      }
      all += (i == 0 ? "'" : ", '") + std::string(candidate) + "'";
    }
    require(false, "{}: {}: expected one of {}, got {}", who_, name, all, json.dump());
  }

  const char* who_;
  const StrictJson& object_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace secondlook::image
