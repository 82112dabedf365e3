#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>

#include "arrays.hpp"

/// Up to this many rows, scoring takes less time than releasing and reacquiring the GIL.
inline constexpr pybind11::ssize_t kRowsWorthTheGil = 16;

/// Returns the output of `compute(samples, out)` for the rows of `x`: an array of shape (n,), or of
/// shape (n, n_features) if `wide` is true.
template <class Compute>
pybind11::object rows_to_array(pybind11::handle x, std::size_t n_features, bool wide,
                               const Compute& compute) {
  return with_samples(x, n_features, [&](auto samples) -> pybind11::object {
    auto values = wide ? pybind11::array_t<double>({samples.rows(), samples.cols()})
                       : pybind11::array_t<double>(samples.rows());
    const auto out = as_span(values);
    if (!wide && samples.rows() < kRowsWorthTheGil) {
      compute(samples, out);
    } else {
      const pybind11::gil_scoped_release release;
      compute(samples, out);
    }
    return values;
  });
}

/// For methods that train: calls `learn` with the samples, without the GIL. Returns False if the
/// array cannot be used without conversion.
template <class Learn>
bool learn_from(pybind11::handle x, std::size_t n_features, const Learn& learn) {
  return !with_samples(x, n_features, [&](auto samples) -> pybind11::object {
            const pybind11::gil_scoped_release release;
            learn(samples);
            return pybind11::none();
          }).is(pybind11::reinterpret_borrow<pybind11::object>(Py_NotImplemented));
}
