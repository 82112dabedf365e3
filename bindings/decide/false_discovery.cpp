#include "secondlook/decide/false_discovery.hpp"

#include "arrays.hpp"
#include "register.hpp"

namespace py = pybind11;

void register_false_discovery(py::module_& decide) {
  decide.def(
      "benjamini_hochberg",
      [](const ContiguousArray<double>& p_values, double false_discovery_rate,
         double null_fraction) {
        return to_array(
            secondlook::benjamini_hochberg(as_span(p_values), false_discovery_rate, null_fraction));
      },
      py::arg("p_values"), py::arg("false_discovery_rate"), py::arg("null_fraction"));
  decide.def(
      "storey_null_fraction",
      [](const ContiguousArray<double>& p_values, double cut) {
        return secondlook::storey_null_fraction(as_span(p_values), cut);
      },
      py::arg("p_values"), py::arg("cut"));
}
