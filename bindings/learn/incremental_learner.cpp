#include "secondlook/learn/incremental_learner.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"
#include "secondlook/store/model.hpp"

namespace py = pybind11;
using secondlook::IncrementalLearner;
using secondlook::IncrementalLearnerParameters;
using secondlook::ModelFile;
using secondlook::UpdateReport;

void register_incremental_learner(py::module_& learn) {
  py::class_<IncrementalLearner>(learn, "IncrementalLearner")
      .def(py::init([](const ModelFile& file, py::handle calibration,
                       const std::optional<std::filesystem::path>& folder,
                       std::vector<std::string> feature_names, const py::kwargs& arguments) {
             const auto parameters =
                 from_dict<IncrementalLearnerParameters>("IncrementalLearner", arguments);
             std::unique_ptr<IncrementalLearner> learner;
             learn_from(calibration, 0, [&](auto rows) {
               learner = std::make_unique<IncrementalLearner>(
                   secondlook::as_detector(secondlook::load(file)), rows, parameters, folder,
                   std::move(feature_names), secondlook::ModelExtras::of(file));
             });
             if (!learner)
               throw secondlook::InvalidArgument(
                   "IncrementalLearner: expected calibration rows as a C-contiguous array of "
                   "float32 or float64");
             return learner;
           }),
           py::arg("file"), py::arg("calibration"), py::arg("folder"), py::arg("feature_names"))
      .def_static("open", &IncrementalLearner::open, py::arg("folder"),
                  py::call_guard<py::gil_scoped_release>())
      .def(
          "score_samples",
          [](const IncrementalLearner& self, py::handle x) {
            return rows_to_array(x, self.n_features(), false, [&](auto samples, auto scores) {
              self.score_samples(samples, scores);
            });
          },
          py::arg("x"))
      .def(
          "decision_function",
          [](const IncrementalLearner& self, py::handle x) {
            return rows_to_array(x, self.n_features(), false, [&](auto samples, auto values) {
              self.decision_function(samples, values);
            });
          },
          py::arg("x"))
      .def(
          "update",
          [](IncrementalLearner& self, py::handle x, bool trusted, const py::object& progress) {
            return with_samples(x, self.n_features(), [&](auto samples) -> py::object {
              UpdateReport report;
              {
                const py::gil_scoped_release release;
                report = self.update(samples, trusted, make_progress(progress));
              }
              return to_dict(report);
            });
          },
          py::arg("x"), py::arg("trusted"), py::arg("progress"))
      .def("rollback", &IncrementalLearner::rollback, py::arg("version"), py::arg("reason"),
           py::call_guard<py::gil_scoped_release>())
      // Both wait for a running update, which may need the GIL to report its progress.
      .def_property_readonly("versions",
                             [](const IncrementalLearner& self) {
                               std::vector<secondlook::LearnedVersion> found;
                               {
                                 const py::gil_scoped_release release;
                                 found = self.versions();
                               }
                               return to_python(found);
                             })
      .def_property_readonly("history",
                             [](const IncrementalLearner& self) {
                               std::vector<UpdateReport> found;
                               {
                                 const py::gil_scoped_release release;
                                 found = self.history();
                               }
                               return to_python(found);
                             })
      .def("model_file", &IncrementalLearner::model_file)
      .def_property_readonly("offset", &IncrementalLearner::offset)
      .def_property_readonly("version", &IncrementalLearner::version)
      .def_property_readonly("n_features", &IncrementalLearner::n_features);
}
