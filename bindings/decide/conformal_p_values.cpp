#include "secondlook/decide/conformal_p_values.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::ConformalPValues;

void register_conformal_p_values(py::module_& decide) {
  py::class_<ConformalPValues>(decide, "ConformalPValues")
      .def(py::init(
               [](const ContiguousArray<double>& calibration, std::optional<double> confidence) {
                 const auto scores = as_span(calibration);
                 const py::gil_scoped_release release;
                 return ConformalPValues(scores, confidence);
               }),
           py::arg("calibration"), py::arg("confidence"))
      .def(
          "p_values",
          [](const ConformalPValues& conformal, const ContiguousArray<double>& scores) {
            const auto values = as_span(scores);
            std::vector<double> p;
            {
              const py::gil_scoped_release release;
              p = conformal.p_values(values);
            }
            return to_array(std::move(p));
          },
          py::arg("scores"))
      .def_property_readonly("n_calibration",
                             [](const ConformalPValues& c) { return c.calibration().size(); })
      .def(py::pickle(
          [](const ConformalPValues& conformal) {
            return py::dict(py::arg("calibration") = to_array(std::vector(conformal.calibration())),
                            py::arg("confidence") = conformal.confidence());
          },
          [](const py::dict& state) {
            const auto calibration = state["calibration"].cast<ContiguousArray<double>>();
            return ConformalPValues(as_span(calibration),
                                    state["confidence"].cast<std::optional<double>>());
          }));
}
