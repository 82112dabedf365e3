#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace secondlook {

/// Names of an enumeration's values, in order from 0, as files and Python write them: specialised
/// beside each enumeration that has them.
template <class Enum>
inline constexpr std::array<std::string_view, 0> names_of{};

/// An enumeration whose values have names.
template <class Enum>
concept NamedEnum = std::is_enum_v<Enum> && !names_of<Enum>.empty();

/// The name of a value.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::string_view name_of(Enum value) {
  return names_of<Enum>[static_cast<std::size_t>(value)];
}

/// `Candidate` is `Struct`, const or not: for lists that serve both reading and writing.
///
/// Below a struct stands the one list of its fields, from which keyword arguments, dictionaries,
/// pickles and the model file's JSON follow:
///
///     template <FieldsOf<MyParameters> P>
///     void for_each_field(P& p, auto&& use) {
///       use("n_trees", p.n_trees);
///     }
template <class Candidate, class Struct>
concept FieldsOf = std::same_as<std::remove_const_t<Candidate>, Struct>;

/// A struct with a list of its fields.
template <class Struct>
concept HasFields = std::is_class_v<Struct> && requires(Struct& fields) {
  for_each_field(fields, [](std::string_view, auto&) {});
};

/// A field's, or an enumeration value's, name in files of earlier versions.
struct EarlierName {
  std::string_view earlier;
  std::string_view now;
};

/// What `Type`'s fields or values were called in files of earlier versions, which stay readable:
/// specialised beside each type that has such.
template <class Type>
inline constexpr std::array<EarlierName, 0> earlier_names_of{};

/// The name that a field or value of `Type` has now.
template <class Type>
[[nodiscard]] constexpr std::string_view current_name(std::string_view name) {
  for (const auto& [earlier, now] : earlier_names_of<Type>)
    if (name == earlier) return now;
  return name;
}

/// Whether a struct's fields are written without their names, as a list in their order: pairs and
/// triples of numbers that belong together.
template <class Struct>
inline constexpr bool is_written_as_list = false;

}  // namespace secondlook
