#include "secondlook/decide/calibration.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Calibration;
using secondlook::CalibrationMethod;

void register_calibration(py::module_& decide) {
  py::class_<Calibration>(decide, "Calibration")
      .def(py::init([](const py::object& method, const ContiguousArray<double>& scores,
                       const ContiguousArray<std::uint8_t>& labels) {
             CalibrationMethod chosen{};
             from_python("Calibration: method", method, chosen);
             return Calibration(chosen, as_span(scores), as_span(labels));
           }),
           py::arg("method"), py::arg("scores"), py::arg("labels"))
      .def(
          "probabilities",
          [](const Calibration& calibration, const ContiguousArray<double>& scores) {
            return to_array(calibration.probabilities(as_span(scores)));
          },
          py::arg("scores"))
      .def_property_readonly("state", [](const Calibration& c) { return to_dict(c.state()); })
      .def(pickled_state<Calibration>("Calibration"));
  decide.def(
      "fit_temperature",
      [](const ContiguousArray<double>& logits, const ContiguousArray<std::int64_t>& labels) {
        return secondlook::fit_temperature({logits.data(), logits.shape(0), logits.shape(1)},
                                           as_span(labels));
      },
      py::arg("logits"), py::arg("labels"));
}
