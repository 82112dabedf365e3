#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "secondlook/core/matrix_view.hpp"
#include "secondlook/core/progress.hpp"

/// A C-contiguous array of exactly this type, or no match: other layouts are converted in Python.
template <class Scalar>
using ContiguousArray = pybind11::array_t<Scalar, pybind11::array::c_style>;

/// The array's values as rows, without a copy. The array must have two dimensions.
template <class Scalar>
secondlook::MatrixView<Scalar> as_matrix(const ContiguousArray<Scalar>& array) {
  if (array.ndim() != 2)
    throw pybind11::value_error("expected a 2-dimensional array, got " +
                                std::to_string(array.ndim()) + " dimension(s)");
  return {array.data(), array.shape(0), array.shape(1)};
}

template <class Scalar>
std::span<Scalar> as_span(pybind11::array_t<Scalar>& array) {
  return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

template <class Scalar>
std::span<const Scalar> as_span(const ContiguousArray<Scalar>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

/// Hands a vector's memory to NumPy without a copy.
template <class Scalar>
pybind11::array_t<Scalar> to_array(std::vector<Scalar>&& values,
                                   std::vector<pybind11::ssize_t> shape = {}) {
  auto* owner = new std::vector<Scalar>(std::move(values));
  const pybind11::capsule guard(owner,
                                [](void* p) { delete static_cast<std::vector<Scalar>*>(p); });
  if (shape.empty()) shape = {static_cast<pybind11::ssize_t>(owner->size())};
  return pybind11::array_t<Scalar>(std::move(shape), owner->data(), guard);
}

/// A progress callback for work that runs without the GIL: lets Ctrl-C through, and tells `callback`
/// (None, or a callable of done and total) how far the work has come.
inline secondlook::Progress make_progress(const pybind11::object& callback) {
  // Called under the caller's stack frame, so the borrowed handle stays alive.
  return [handle = pybind11::handle(callback)](std::size_t done, std::size_t total) {
    const pybind11::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
    if (!handle.is_none()) handle(done, total);
    return true;
  };
}
