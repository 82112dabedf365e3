#include "secondlook/decide/peaks_over_threshold.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::PeaksOverThreshold;
using secondlook::PeaksOverThresholdParameters;

void register_peaks_over_threshold(py::module_& decide) {
  constexpr const char* who = "PeaksOverThreshold";
  py::class_<PeaksOverThreshold>(decide, who)
      .def(py::init([](const ContiguousArray<double>& scores, const py::kwargs& arguments) {
             const auto values = as_span(scores);
             const auto parameters = from_dict<PeaksOverThresholdParameters>(who, arguments);
             const py::gil_scoped_release release;
             return PeaksOverThreshold(values, parameters);
           }),
           py::arg("scores"))
      .def("push", &PeaksOverThreshold::push, py::arg("score"))
      .def_property_readonly("threshold", &PeaksOverThreshold::threshold)
      .def_property_readonly("state",
                             [](const PeaksOverThreshold& tail) { return to_dict(tail.state()); })
      .def(pickled_parameters_and_state<PeaksOverThreshold, PeaksOverThresholdParameters>(who));
}
