#include "secondlook/detect/isolation_forest.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Detector;
using secondlook::IsolationForest;
using secondlook::IsolationForestParameters;
using secondlook::SparseSampleView;

namespace {

// As `learn_from`, of an array or a sparse matrix.
template <class Learn>
bool learn_from_any(py::handle x, std::size_t n_features, const Learn& learn) {
  if (!is_sparse(x)) return learn_from(x, n_features, learn);
  with_sparse(x, [&](const SparseSampleView& samples) {
    const py::gil_scoped_release release;
    learn(samples);
  });
  return true;
}

}  // namespace

void register_isolation_forest(py::module_& detect) {
  // Rows are an array, as of `Detector`, or a sparse matrix.
  py::class_<IsolationForest, Detector, std::shared_ptr<IsolationForest>>(detect, "IsolationForest")
      .def(init_from_fields<IsolationForest, IsolationForestParameters>("IsolationForest"))
      .def_static("from_file", &IsolationForest::from_file, py::arg("file"))
      .def(
          "fit",
          [](IsolationForest& self, py::handle x, const py::object& progress,
             const std::optional<ContiguousArray<double>>& sample_weight,
             const IsolationForest* warm_start) {
            const secondlook::IsolationForestTraining training{
                sample_weight ? as_span(*sample_weight) : std::span<const double>(), warm_start};
            const auto fit = [&](const auto& samples) {
              self.fit(samples, training, make_progress(progress));
            };
            return learn_from_any(x, 0, fit);
          },
          py::arg("x"), py::arg("progress"), py::arg("sample_weight"), py::arg("warm_start"))
      .def(
          "fit_offset",
          [](IsolationForest& self, py::handle x) {
            const auto fit = [&](const auto& samples) { self.fit_offset(samples); };
            return learn_from_any(x, self.n_features(), fit);
          },
          py::arg("x"))
      .def(
          "score_samples",
          [](const IsolationForest& self, py::handle x) -> py::object {
            if (!is_sparse(x))
              return rows_to_array(x, self.n_features(), false, [&](auto samples, auto scores) {
                self.score_samples(samples, scores);
              });
            return with_sparse(x, [&](const SparseSampleView& samples) -> py::object {
              py::array_t<double> scores(
                  std::visit([](const auto& rows) { return rows.rows(); }, samples));
              const auto out = as_span(scores);
              {
                const py::gil_scoped_release release;
                self.score_samples(samples, out);
              }
              return scores;
            });
          },
          py::arg("x"))
      .def_property_readonly("parameters",
                             [](const IsolationForest& self) { return to_dict(self.parameters()); })
      .def("merge", &IsolationForest::merge, py::arg("other"))
      .def("expected_path_length", &IsolationForest::expected_path_length)
      .def_property_readonly("n_trees", &IsolationForest::n_trees)
      .def_property_readonly("subsample_size", &IsolationForest::subsample_size)
      .def_property_readonly("memory_bytes", &IsolationForest::memory_bytes);
}
