#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>

#include "arrays.hpp"

/// Rows that are scored sooner than the GIL could be given away and taken back.
inline constexpr pybind11::ssize_t kRowsWorthTheGil = 16;

/// What `compute(samples, out)` writes for the rows of `x`: an array of (n), or of (n, n_features)
/// where `wide`.
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

/// The learning methods: `learn` gets the samples without the GIL. False: not an array to use as
/// is.
template <class Learn>
bool learn_from(pybind11::handle x, std::size_t n_features, const Learn& learn) {
  return !with_samples(x, n_features, [&](auto samples) -> pybind11::object {
            const pybind11::gil_scoped_release release;
            learn(samples);
            return pybind11::none();
          }).is(pybind11::reinterpret_borrow<pybind11::object>(Py_NotImplemented));
}
