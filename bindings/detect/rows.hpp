#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "secondlook/core/sparse_view.hpp"

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

/// Whether `x` is a sparse matrix of SciPy in compressed rows whose columns increase; Python
/// converts others to it.
inline bool is_sparse(pybind11::handle x) {
  namespace py = pybind11;
  return !py::isinstance<py::array>(x) && py::hasattr(x, "indptr") &&
         x.attr("format").cast<std::string>() == "csr" && py::bool_(x.attr("has_canonical_format"));
}

/// Calls `use` with a view of such a matrix, of float32 or float64.
template <class Use>
auto with_sparse(pybind11::handle x, const Use& use) {
  namespace py = pybind11;
  using Starts = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;
  using Columns = py::array_t<std::int32_t, py::array::c_style | py::array::forcecast>;
  const auto starts = x.attr("indptr").cast<Starts>();
  const auto columns = x.attr("indices").cast<Columns>();
  const auto values = x.attr("data").cast<py::array>();
  const auto shape = x.attr("shape").cast<std::pair<secondlook::Index, secondlook::Index>>();
  const auto view = [&]<class Scalar>(Scalar) {
    const auto typed = values.cast<ContiguousArray<Scalar>>();
    return use(secondlook::SparseSampleView(
        secondlook::SparseView<Scalar>{shape.second,
                                       {starts.data(), static_cast<std::size_t>(starts.size())},
                                       {columns.data(), static_cast<std::size_t>(columns.size())},
                                       as_span(typed)}));
  };
  return ContiguousArray<float>::check_(values) ? view(float{}) : view(double{});
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
