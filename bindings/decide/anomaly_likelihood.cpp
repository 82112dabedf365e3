#include "secondlook/decide/anomaly_likelihood.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::AnomalyLikelihood;
using secondlook::AnomalyLikelihoodParameters;

void register_anomaly_likelihood(py::module_& decide) {
  constexpr const char* who = "AnomalyLikelihood";
  py::class_<AnomalyLikelihood>(decide, who)
      .def(init_from_fields<AnomalyLikelihood, AnomalyLikelihoodParameters>(who))
      .def("push", &AnomalyLikelihood::push, py::arg("score"))
      .def_property_readonly("tail_probability", &AnomalyLikelihood::tail_probability)
      .def_property_readonly("count", [](const AnomalyLikelihood& l) { return l.state().count; })
      .def(pickled_parameters_and_state<AnomalyLikelihood, AnomalyLikelihoodParameters>(who));
}
