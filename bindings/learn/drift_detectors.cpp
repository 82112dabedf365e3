#include "fields.hpp"
#include "register.hpp"
#include "secondlook/learn/adwin.hpp"
#include "secondlook/learn/kolmogorov_smirnov.hpp"
#include "secondlook/learn/page_hinkley.hpp"

namespace py = pybind11;
using secondlook::Adwin;
using secondlook::PageHinkley;

void register_drift_detectors(py::module_& learn) {
  py::class_<Adwin>(learn, "Adwin")
      .def(py::init<double>(), py::arg("delta"))
      .def("push", &Adwin::push, py::arg("value"))
      .def_property_readonly("mean", &Adwin::mean)
      .def_property_readonly("size", &Adwin::size)
      .def(pickled_state<Adwin>("Adwin"));
  py::class_<PageHinkley>(learn, "PageHinkley")
      .def(py::init<double, double, std::int64_t>(), py::arg("tolerance"), py::arg("threshold"),
           py::arg("min_samples"))
      .def("push", &PageHinkley::push, py::arg("value"))
      .def(pickled_state<PageHinkley>("PageHinkley"));
  learn.def(
      "kolmogorov_smirnov",
      [](const ContiguousArray<double>& a, const ContiguousArray<double>& b) {
        const auto first = as_span(a);
        const auto second = as_span(b);
        const py::gil_scoped_release release;
        const auto test = secondlook::kolmogorov_smirnov(first, second);
        return std::pair(test.statistic, test.p_value);
      },
      py::arg("a"), py::arg("b"));
}
