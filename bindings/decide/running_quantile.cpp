#include "secondlook/decide/running_quantile.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::RunningQuantile;

void register_running_quantile(py::module_& decide) {
  py::class_<RunningQuantile>(decide, "RunningQuantile")
      .def(py::init<double>(), py::arg("probability"))
      .def("push", &RunningQuantile::push, py::arg("sample"))
      .def_property_readonly("value", &RunningQuantile::value)
      .def_property_readonly("count", [](const RunningQuantile& q) { return q.state().count; })
      .def(pickled_state<RunningQuantile>("RunningQuantile"));
}
