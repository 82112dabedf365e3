#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/fields.hpp"

// Conversions between structs with a list of fields and Python. Enumerations become their names,
// structs dictionaries (or tuples, if written as a list), vectors lists and matrices arrays.

template <secondlook::HasFields Struct>
pybind11::dict to_dict(const Struct& fields);
template <secondlook::HasFields Struct>
Struct from_dict(const std::string& who, const pybind11::dict& values);

namespace detail {

template <class Value>
inline constexpr bool is_vector = false;
template <class Value>
inline constexpr bool is_vector<std::vector<Value>> = true;
template <class Value>
inline constexpr bool is_optional = false;
template <class Value>
inline constexpr bool is_optional<std::optional<Value>> = true;
template <class Value>
inline constexpr std::size_t array_size = 0;
template <class Value, std::size_t n>
inline constexpr std::size_t array_size<std::array<Value, n>> = n;
template <class Value>
inline constexpr bool is_matrix = false;
template <class Value>
inline constexpr bool is_matrix<secondlook::Matrix<Value>> = true;

}  // namespace detail

/// Converts the value of a field to Python.
template <class Value>
pybind11::object to_python(const Value& value) {
  namespace py = pybind11;
  if constexpr (secondlook::NamedEnum<Value>) {
    return py::str(std::string(secondlook::name_of(value)));
  } else if constexpr (secondlook::HasFields<Value>) {
    if constexpr (secondlook::is_written_as_list<Value>) {
      py::list items;
      for_each_field(value,
                     [&](std::string_view, const auto& item) { items.append(to_python(item)); });
      return py::tuple(items);
    } else {
      return to_dict(value);
    }
  } else if constexpr (detail::is_optional<Value>) {
    return value ? to_python(*value) : py::none();
  } else if constexpr (detail::is_matrix<Value>) {
    return to_array(secondlook::Matrix(value));
  } else if constexpr (detail::is_vector<Value>) {
    py::list items;
    for (const auto& item : value) items.append(to_python(item));
    return py::object(items);
  } else {
    return py::cast(value);
  }
}

/// Converts a Python object to the value of a field.
/// @throws InvalidArgument if it has another type or does not fit
template <class Value>
void from_python(const std::string& name, pybind11::handle given, Value& value) {
  namespace py = pybind11;
  using secondlook::InvalidArgument;
  const auto refuse = [&](const std::string& expected) {
    throw InvalidArgument(name + ": expected " + expected + ", got " +
                          std::string(py::str(py::repr(given))));
  };
  if constexpr (secondlook::NamedEnum<Value>) {
    std::string all;
    const std::string word = py::isinstance<py::str>(given) ? given.cast<std::string>() : "";
    for (std::size_t i = 0; i < secondlook::names_of<Value>.size(); ++i) {
      const std::string candidate(secondlook::names_of<Value>[i]);
      if (word == candidate) {
        value = static_cast<Value>(i);
        return;
      }
      all += (i == 0 ? "'" : ", '") + candidate + "'";
    }
    refuse("one of " + all);
  } else if constexpr (secondlook::HasFields<Value>) {
    if constexpr (secondlook::is_written_as_list<Value>) {
      std::size_t n = 0;
      for_each_field(value, [&](std::string_view, auto&) { ++n; });
      if (!py::isinstance<py::sequence>(given) || py::len(given) != n)
        refuse(std::to_string(n) + " values");
      const auto items = py::reinterpret_borrow<py::sequence>(given);
      std::size_t i = 0;
      for_each_field(value, [&](std::string_view, auto& item) {
        from_python(name, py::object(items[i++]), item);
      });
    } else {
      if (!py::isinstance<py::dict>(given)) refuse("a dictionary");
      value = from_dict<Value>(name, py::reinterpret_borrow<py::dict>(given));
    }
  } else if constexpr (detail::is_optional<Value>) {
    if (given.is_none()) {
      value.reset();
    } else {
      from_python(name, given, value.emplace());
    }
  } else if constexpr (detail::is_matrix<Value>) {
    using Array = ContiguousArray<std::remove_cvref_t<decltype(*value.data())>>;
    if (!py::isinstance<Array>(given)) refuse("a 2-D array");
    const auto array = py::reinterpret_borrow<Array>(given);
    if (array.ndim() != 2) refuse("a 2-D array");
    value = to_matrix(array);
  } else if constexpr (detail::is_vector<Value>) {
    if (!py::isinstance<py::sequence>(given) && !py::isinstance<py::array>(given))
      refuse("a sequence");
    value.clear();
    for (const py::handle item : given) from_python(name, item, value.emplace_back());
  } else if constexpr (std::same_as<Value, char>) {
    const std::string text = py::isinstance<py::str>(given) ? given.cast<std::string>() : "";
    if (text.size() != 1) refuse("one ASCII character");
    value = text.front();
  } else {
    try {
      value = given.cast<Value>();
    } catch (const py::cast_error&) {
      if constexpr (std::same_as<Value, bool>) {
        refuse("a bool");
      } else if constexpr (std::unsigned_integral<Value>) {
        refuse("a non-negative whole number");
      } else if constexpr (std::integral<Value>) {
        refuse("a whole number");
      } else if constexpr (std::floating_point<Value>) {
        refuse("a number");
      } else if constexpr (std::same_as<Value, std::string>) {
        refuse("text");
      } else if constexpr (detail::array_size<Value> > 0) {
        refuse(std::to_string(detail::array_size<Value>) + " numbers");
      } else {
        refuse("a valid value");
      }
    }
  }
}

/// Converts the fields to a dictionary by their names.
template <secondlook::HasFields Struct>
pybind11::dict to_dict(const Struct& fields) {
  pybind11::dict values;
  for_each_field(fields, [&](std::string_view name, const auto& value) {
    values[pybind11::str(std::string(name))] = to_python(value);
  });
  return values;
}

/// Sets the fields named in `values`; the others keep their defaults.
/// @throws InvalidArgument if a name is unknown or a value has another type
template <secondlook::HasFields Struct>
Struct from_dict(const std::string& who, const pybind11::dict& values) {
  namespace py = pybind11;
  Struct fields{};
  std::size_t n_used = 0;
  for_each_field(fields, [&](std::string_view name, auto& value) {
    const py::str key{std::string(name)};
    if (!values.contains(key)) return;
    ++n_used;
    from_python(who + ": " + std::string(name), py::object(values[key]), value);
  });
  if (n_used == values.size()) return fields;
  for (const auto& [key, value] : values) {
    bool known = false;
    for_each_field(fields, [&](std::string_view name, auto&) {
      known = known || std::string(py::str(key)) == name;
    });
    if (!known)
      throw secondlook::InvalidArgument(who + ": unknown parameter '" + std::string(py::str(key)) +
                                        "'");
  }
  return fields;
}

/// Constructor whose keyword arguments are the fields of `Parameters`.
template <class Class, secondlook::HasFields Parameters>
auto init_from_fields(const char* who) {
  return pybind11::init([who](const pybind11::kwargs& arguments) {
    return Class(from_dict<Parameters>(who, arguments));
  });
}

/// Pickling of classes that have `state()` and a constructor that checks a state.
template <class Class>
auto pickled_state(const char* who) {
  using State = typename Class::State;
  return pybind11::pickle(
      [](const Class& object) { return to_dict(object.state()); },
      [who](const pybind11::dict& state) { return Class(from_dict<State>(who, state)); });
}

/// Pickling of classes that have `parameters()`, `state()` and a constructor that checks both.
template <class Class, secondlook::HasFields Parameters>
auto pickled_parameters_and_state(const char* who) {
  namespace py = pybind11;
  using State = typename Class::State;
  return py::pickle(
      [](const Class& object) {
        return py::dict(py::arg("parameters") = to_dict(object.parameters()),
                        py::arg("state") = to_dict(object.state()));
      },
      [who](const py::dict& kept) {
        const auto part = [&](const char* name) {
          const py::object found = kept.contains(name) ? py::object(kept[name]) : py::none();
          if (!py::isinstance<py::dict>(found))
            throw secondlook::InvalidArgument(std::string(who) + ": expected a pickle with '" +
                                              name + "'");
          return py::dict(found);
        };
        auto parameters = from_dict<Parameters>(who, part("parameters"));
        return Class(std::move(parameters), from_dict<State>(who, part("state")));
      });
}

namespace detail {

/// Element type of the column of a field: of an enumeration, the code; void for a list.
template <class Value>
using ColumnOf =
    std::conditional_t<std::is_arithmetic_v<Value>, Value,
                       std::conditional_t<secondlook::NamedEnum<Value>, std::int8_t, void>>;

}  // namespace detail

/// Converts records to one column per field: an array for numbers and enumerations, otherwise a
/// list.
template <secondlook::HasFields Record>
pybind11::dict to_columns(const std::vector<Record>& records) {
  namespace py = pybind11;
  py::dict columns;
  std::vector<void*> data;  // of the arrays' values; nullptr for a list
  std::vector<py::object> made;
  const Record example{};
  for_each_field(example, [&](std::string_view name, const auto& value) {
    using Column = detail::ColumnOf<std::remove_cvref_t<decltype(value)>>;
    if constexpr (!std::is_void_v<Column>) {
      py::array_t<Column> column(static_cast<py::ssize_t>(records.size()));
      data.push_back(column.mutable_data());
      made.push_back(column);
    } else {
      data.push_back(nullptr);
      made.push_back(py::list());
    }
    columns[py::str(std::string(name))] = made.back();
  });
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::size_t k = 0;
    for_each_field(records[i], [&](std::string_view, const auto& value) {
      using Column = detail::ColumnOf<std::remove_cvref_t<decltype(value)>>;
      if constexpr (!std::is_void_v<Column>) {
        static_cast<Column*>(data[k])[i] = static_cast<Column>(value);
      } else {
        py::reinterpret_borrow<py::list>(made[k]).append(to_python(value));
      }
      ++k;
    });
  }
  return columns;
}
