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

/// What `secondlook.detect.tabular` wants of a detector.
template <class Detector, class... Options>
void define_tabular_detector(pybind11::class_<Detector, Options...>& type) {
  namespace py = pybind11;
  type.def(
          "fit",
          [](Detector& self, py::handle x, const py::object& progress) {
            return learn_from(x, 0,
                              [&](auto samples) { self.fit(samples, make_progress(progress)); });
          },
          py::arg("x"), py::arg("progress"))
      .def(
          "partial_fit",
          [](Detector& self, py::handle x, const py::object& progress) {
            return learn_from(x, self.n_features(), [&](auto samples) {
              self.partial_fit(samples, make_progress(progress));
            });
          },
          py::arg("x"), py::arg("progress"))
      .def(
          "fit_offset",
          [](Detector& self, py::handle x) {
            return learn_from(x, self.n_features(),
                              [&](auto samples) { self.fit_offset(samples); });
          },
          py::arg("x"))
      .def(
          "score_samples",
          [](const Detector& self, py::handle x) {
            return rows_to_array(x, self.n_features(), false, [&](auto samples, auto scores) {
              self.score_samples(samples, scores);
            });
          },
          py::arg("x"))
      .def(
          "feature_contributions",
          [](const Detector& self, py::handle x) {
            return rows_to_array(x, self.n_features(), true, [&](auto samples, auto parts) {
              self.feature_contributions(samples, parts);
            });
          },
          py::arg("x"))
      .def("copy", [](const Detector& self) { return Detector(self); })
      .def("to_file", &Detector::to_file)
      .def_static("from_file", &Detector::from_file, py::arg("file"))
      .def_property_readonly("offset", &Detector::offset)
      .def_property_readonly("offset_is_stale", &Detector::offset_is_stale)
      .def_property_readonly("fitted", &Detector::fitted)
      .def_property_readonly("n_features", &Detector::n_features);
}
