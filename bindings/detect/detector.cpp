#include "secondlook/detect/detector.hpp"

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Detector;

void register_detector(py::module_& detect) {
  py::class_<Detector, std::shared_ptr<Detector>>(detect, "Detector")
      .def(
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
      .def("copy", [](const Detector& self) { return std::shared_ptr<Detector>(self.clone()); })
      .def("to_file", &Detector::to_file)
      .def("forget_decision_rule", [](Detector& self) { self.set_decision_rule({}); })
      .def_property_readonly("kind", &Detector::kind)
      .def_property_readonly("offset", &Detector::offset)
      .def_property_readonly("offset_is_stale", &Detector::offset_is_stale)
      .def_property_readonly("fitted", &Detector::fitted)
      .def_property_readonly("n_features", &Detector::n_features)
      .def_property("feature_names", &Detector::feature_names, &Detector::set_feature_names);
}
