#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace secondlook {

/// Names of an enumeration's values, in order from 0, as used in files and Python. Specialised next
/// to each enumeration that has names.
template <class Enum>
inline constexpr std::array<std::string_view, 0> names_of{};

/// An enumeration whose values have names.
template <class Enum>
concept NamedEnum = std::is_enum_v<Enum> && !names_of<Enum>.empty();

/// Name of a value.
template <NamedEnum Enum>
[[nodiscard]] constexpr std::string_view name_of(Enum value) {
  return names_of<Enum>[static_cast<std::size_t>(value)];
}

/// `Candidate` is `Struct`, const or not: for lists of fields used for both reading and writing.
///
/// Each struct is followed by a single list of its fields, from which keyword arguments,
/// dictionaries, pickles and the model file's JSON are derived:
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

/// Name of a field, or of an enumeration value, in files of earlier versions.
struct EarlierName {
  std::string_view earlier;
  std::string_view now;
};

/// Earlier names of the fields or values of `Type`, by which files of earlier versions remain
/// readable. Specialised next to each type that has such names.
template <class Type>
inline constexpr std::array<EarlierName, 0> earlier_names_of{};

/// Current name of a field or value of `Type`.
template <class Type>
[[nodiscard]] constexpr std::string_view current_name(std::string_view name) {
  for (const auto& [earlier, now] : earlier_names_of<Type>)
    if (name == earlier) return now;
  return name;
}

/// Whether a struct is written as a list of its fields in order, without names. For pairs and
/// triples of numbers.
template <class Struct>
inline constexpr bool is_written_as_list = false;

}  // namespace secondlook
