#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/detect/isolation_forest.hpp"

namespace py = pybind11;
using secondlook::IsolationForest;
using secondlook::IsolationForestParameters;
using secondlook::MatrixView;

namespace {

py::object score_samples(const IsolationForest& forest, py::handle x) {
  return with_samples(x, forest.n_features(), [&](auto samples) -> py::object {
    py::array_t<double> scores(samples.rows());
    const auto out = as_span(scores);
    {
      const py::gil_scoped_release release;
      forest.score_samples(samples, out);
    }
    return scores;
  });
}

py::object feature_contributions(const IsolationForest& forest, py::handle x) {
  return with_samples(x, forest.n_features(), [&](auto samples) -> py::object {
    py::array_t<double> contributions({samples.rows(), samples.cols()});
    const auto out = as_span(contributions);
    {
      const py::gil_scoped_release release;
      forest.feature_contributions(samples, out);
    }
    return contributions;
  });
}

// The learning methods: `learn` gets the samples without the GIL. False: not an array to use as is.
template <class Learn>
bool learn_from(py::handle x, std::size_t n_features, const Learn& learn) {
  return !with_samples(x, n_features, [&](auto samples) -> py::object {
            const py::gil_scoped_release release;
            learn(samples);
            return py::none();
          }).is(py::reinterpret_borrow<py::object>(Py_NotImplemented));
}

void register_isolation_forest(py::module_& module) {
  py::class_<IsolationForest>(module, "IsolationForest")
      .def(py::init([](std::size_t n_estimators, std::size_t max_samples, std::size_t max_features,
                       std::optional<double> contamination, bool route_missing,
                       double refresh_fraction, std::uint64_t seed, int n_jobs) {
             return IsolationForest({n_estimators, max_samples, max_features, contamination,
                                     route_missing, refresh_fraction, seed, n_jobs});
           }),
           py::kw_only(), py::arg("n_estimators"), py::arg("max_samples"), py::arg("max_features"),
           py::arg("contamination"), py::arg("route_missing"), py::arg("refresh_fraction"),
           py::arg("seed"), py::arg("n_jobs"))
      .def(
          "fit",
          [](IsolationForest& forest, py::handle x, const py::object& progress) {
            return learn_from(x, 0,
                              [&](auto samples) { forest.fit(samples, make_progress(progress)); });
          },
          py::arg("x"), py::arg("progress"))
      .def(
          "partial_fit",
          [](IsolationForest& forest, py::handle x, const py::object& progress) {
            return learn_from(x, forest.n_features(), [&](auto samples) {
              forest.partial_fit(samples, make_progress(progress));
            });
          },
          py::arg("x"), py::arg("progress"))
      .def(
          "fit_offset",
          [](IsolationForest& forest, py::handle x) {
            return learn_from(x, forest.n_features(),
                              [&](auto samples) { forest.fit_offset(samples); });
          },
          py::arg("x"))
      .def("to_file", &IsolationForest::to_file)
      .def_static("from_file", &IsolationForest::from_file, py::arg("file"))
      .def("merge", &IsolationForest::merge, py::arg("other"))
      .def("score_samples", &score_samples, py::arg("x"))
      .def("feature_contributions", &feature_contributions, py::arg("x"))
      .def("expected_path_length", &IsolationForest::expected_path_length)
      .def_property_readonly("offset", &IsolationForest::offset)
      .def_property_readonly("offset_is_stale", &IsolationForest::offset_is_stale)
      .def_property_readonly("fitted", &IsolationForest::fitted)
      .def_property_readonly("n_features", &IsolationForest::n_features)
      .def_property_readonly("n_trees", &IsolationForest::n_trees)
      .def_property_readonly("subsample_size", &IsolationForest::subsample_size)
      .def_property_readonly("n_pending", &IsolationForest::n_pending)
      .def_property_readonly("memory_bytes", &IsolationForest::memory_bytes)
      .def_property_readonly("parameters",
                             [](const IsolationForest& forest) {
                               const auto& p = forest.parameters();
                               return py::dict(
                                   py::arg("n_estimators") = p.n_estimators,
                                   py::arg("max_samples") = p.max_samples,
                                   py::arg("max_features") = p.max_features,
                                   py::arg("contamination") = p.contamination,
                                   py::arg("route_missing") = p.route_missing,
                                   py::arg("refresh_fraction") = p.refresh_fraction,
                                   py::arg("seed") = p.seed, py::arg("n_jobs") = p.n_jobs);
                             });
}

}  // namespace

void register_detect(py::module_& module) {
  auto detect = module.def_submodule("detect");
  register_isolation_forest(detect);
}
