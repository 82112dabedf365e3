#include "secondlook/detect/isolation_forest.hpp"

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Detector;
using secondlook::IsolationForest;
using secondlook::IsolationForestParameters;

void register_isolation_forest(py::module_& detect) {
  py::class_<IsolationForest, Detector, std::shared_ptr<IsolationForest>>(detect, "IsolationForest")
      .def(init_from_fields<IsolationForest, IsolationForestParameters>("IsolationForest"))
      .def_static("from_file", &IsolationForest::from_file, py::arg("file"))
      .def_property_readonly("parameters",
                             [](const IsolationForest& self) { return to_dict(self.parameters()); })
      .def("merge", &IsolationForest::merge, py::arg("other"))
      .def("expected_path_length", &IsolationForest::expected_path_length)
      .def_property_readonly("subsample_size", &IsolationForest::subsample_size)
      .def_property_readonly("memory_bytes", &IsolationForest::memory_bytes);
}
