#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "secondlook/core/error.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/core/progress.hpp"

/// A C-contiguous array of exactly this type. Other layouts do not match; Python converts them.
template <class Scalar>
using ContiguousArray = pybind11::array_t<Scalar, pybind11::array::c_style>;

/// Calls `use` with the samples of `x`, without a copy, if `x` is a C-contiguous float32 or float64
/// array with at least one row and `n_features` columns (0: any positive number). Otherwise returns
/// `NotImplemented`; the Python wrapper then converts `x` or raises an error.
template <class Use>
pybind11::object with_samples(pybind11::handle x, std::size_t n_features, const Use& use) {
  const auto try_as = [&]<class Scalar>(Scalar) -> pybind11::object {
    if (!ContiguousArray<Scalar>::check_(x)) return {};
    const auto array = pybind11::reinterpret_borrow<ContiguousArray<Scalar>>(x);
    if (array.ndim() != 2 || array.shape(0) == 0 || array.shape(1) == 0) return {};
    if (n_features != 0 && static_cast<std::size_t>(array.shape(1)) != n_features) return {};
    return use(secondlook::MatrixView<Scalar>(array.data(), array.shape(0), array.shape(1)));
  };
  auto result = try_as(double{});
  if (!result) result = try_as(float{});
  if (!result) result = pybind11::reinterpret_borrow<pybind11::object>(Py_NotImplemented);
  return result;
}

template <class Scalar>
std::span<Scalar> as_span(pybind11::array_t<Scalar>& array) {
  return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

template <class Scalar>
std::span<const Scalar> as_span(const ContiguousArray<Scalar>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

/// View of a 2-D array, without a copy.
/// @throws InvalidArgument if the array does not have two dimensions
template <class Scalar>
secondlook::MatrixView<Scalar> as_matrix(const ContiguousArray<Scalar>& array) {
  if (array.ndim() != 2)
    throw secondlook::InvalidArgument("expected values with 2 dimensions, got " +
                                      std::to_string(array.ndim()));
  return {array.data(), array.shape(0), array.shape(1)};
}

/// Passes the memory of a vector to NumPy without a copy.
template <class Scalar>
pybind11::array_t<Scalar> to_array(std::vector<Scalar>&& values,
                                   std::vector<pybind11::ssize_t> shape = {}) {
  auto* owner = new std::vector<Scalar>(std::move(values));
  const pybind11::capsule guard(owner,
                                [](void* p) { delete static_cast<std::vector<Scalar>*>(p); });
  if (shape.empty()) shape = {static_cast<pybind11::ssize_t>(owner->size())};
  return pybind11::array_t<Scalar>(std::move(shape), owner->data(), guard);
}

/// Passes the memory of a matrix to NumPy without a copy.
template <class Scalar>
pybind11::array_t<Scalar> to_array(secondlook::Matrix<Scalar>&& matrix) {
  auto* owner = new secondlook::Matrix<Scalar>(std::move(matrix));
  const pybind11::capsule guard(
      owner, [](void* p) { delete static_cast<secondlook::Matrix<Scalar>*>(p); });
  return pybind11::array_t<Scalar>({owner->rows(), owner->cols()}, owner->data(), guard);
}

/// Copy of a 2-D array.
template <class Scalar>
secondlook::Matrix<Scalar> to_matrix(const ContiguousArray<Scalar>& array) {
  secondlook::Matrix<Scalar> matrix(array.shape(0), array.shape(1));
  std::copy_n(array.data(), array.size(), matrix.data());
  return matrix;
}

/// One field of many records: a column of a table.
template <class Record, class Field>
pybind11::array_t<Field> to_column(const std::vector<Record>& records, Field Record::* field) {
  pybind11::array_t<Field> values(static_cast<pybind11::ssize_t>(records.size()));
  for (std::size_t i = 0; i < records.size(); ++i) values.mutable_data()[i] = records[i].*field;
  return values;
}

/// Progress callback for work that runs without the GIL. It handles Ctrl-C and calls `callback`
/// (None, or a callable with the arguments done and total).
inline secondlook::Progress make_progress(const pybind11::object& callback) {
  // The handle is borrowed: the caller's stack frame keeps the object alive.
  return [handle = pybind11::handle(callback)](std::size_t done, std::size_t total) {
    const pybind11::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
    if (!handle.is_none()) handle(done, total);
    return true;
  };
}
