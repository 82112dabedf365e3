#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "secondlook/decide/tail_surprise.hpp"

// What pickle keeps of a tail's state, alone and inside a stream.

inline pybind11::tuple pack(const secondlook::TailSurprise::Block& block) {
  return pybind11::make_tuple(block.count, block.low, block.high,
                              to_array(std::vector<double>(block.highest)),
                              to_array(std::vector<double>(block.lowest)));
}

inline pybind11::tuple pack(const secondlook::TailSurprise::State& state) {
  return pybind11::make_tuple(state.count, pack(state.remembered), pack(state.current));
}

inline std::vector<double> to_vector(const ContiguousArray<double>& array) {
  const auto values = as_span(array);
  return {values.begin(), values.end()};
}

inline secondlook::TailSurprise::Block unpack_block(const pybind11::tuple& packed) {
  using Values = ContiguousArray<double>;
  const auto [count, low, high, highest, lowest] =
      packed.cast<std::tuple<std::int64_t, double, double, Values, Values>>();
  return {count, low, high, to_vector(highest), to_vector(lowest)};
}

inline secondlook::TailSurprise::State unpack_tail(const pybind11::tuple& packed) {
  const auto [count, remembered, current] =
      packed.cast<std::tuple<std::int64_t, pybind11::tuple, pybind11::tuple>>();
  return {count, unpack_block(remembered), unpack_block(current)};
}
