#include "secondlook/decide/suspicious_band.hpp"

#include "decide/decisions.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::SuspiciousBand;
using secondlook::SuspiciousBandParameters;

void register_suspicious_band(py::module_& decide) {
  py::class_<SuspiciousBand>(decide, "SuspiciousBand")
      .def(py::init<double, double>(), py::arg("lower"), py::arg("upper"))
      .def(py::init([](const ContiguousArray<double>& scores,
                       const ContiguousArray<std::uint8_t>& labels,
                       const ContiguousArray<std::int64_t>& groups, const py::dict& parameters) {
             const auto values = as_span(scores);
             const auto classes = as_span(labels);
             const auto numbers = as_span(groups);
             const auto chosen = from_dict<SuspiciousBandParameters>("SuspiciousBand", parameters);
             const py::gil_scoped_release release;
             return SuspiciousBand(values, classes, chosen, numbers);
           }),
           py::arg("scores"), py::arg("labels"), py::arg("groups"), py::arg("parameters"))
      .def(
          "decide",
          [](const SuspiciousBand& band, const ContiguousArray<double>& scores,
             const ContiguousArray<std::uint8_t>& out_of_distribution) {
            return to_codes(band.decide(as_span(scores), as_span(out_of_distribution)));
          },
          py::arg("scores"), py::arg("out_of_distribution"))
      .def(
          "report",
          [](const SuspiciousBand& band, const ContiguousArray<double>& scores,
             const ContiguousArray<std::uint8_t>& labels, double confidence) {
            return to_dict(band.report(as_span(scores), as_span(labels), confidence));
          },
          py::arg("scores"), py::arg("labels"), py::arg("confidence"))
      .def_property_readonly("state", [](const SuspiciousBand& b) { return to_dict(b.state()); });
  decide.def(
      "holds_for_any_mixture",
      [](const py::dict& parameters) {
        return secondlook::holds_for_any_mixture(
            from_dict<SuspiciousBandParameters>("SuspiciousBand", parameters));
      },
      py::arg("parameters"));
}
