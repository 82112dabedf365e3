#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <tuple>

// What pickle hands back may come from anywhere; the constructors check what is in it.
template <class... Fields>
std::tuple<Fields...> unpacked(const pybind11::tuple& state) {
  return state.cast<std::tuple<Fields...>>();
}
