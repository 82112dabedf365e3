#include "secondlook/decide/tail_surprise.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::TailSurprise;
using secondlook::TailSurpriseParameters;

void register_tail_surprise(py::module_& decide) {
  constexpr const char* who = "TailSurprise";
  py::class_<TailSurprise>(decide, who)
      .def(init_from_fields<TailSurprise, TailSurpriseParameters>(who))
      .def("push", py::overload_cast<double>(&TailSurprise::push), py::arg("value"))
      .def(
          "push_many",
          [](TailSurprise& tail, const ContiguousArray<double>& values) {
            return to_array(tail.push(as_span(values)));
          },
          py::arg("values"))
      .def_property_readonly("count", [](const TailSurprise& t) { return t.state().count; })
      .def(pickled_parameters_and_state<TailSurprise, TailSurpriseParameters>(who));
}
