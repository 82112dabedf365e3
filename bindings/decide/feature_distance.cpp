#include "secondlook/decide/feature_distance.hpp"

#include <utility>

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::FeatureDistance;

void register_feature_distance(py::module_& decide) {
  py::class_<FeatureDistance>(decide, "FeatureDistance")
      .def(py::init([](const ContiguousArray<double>& features,
                       const ContiguousArray<double>& held_out, double false_alarm_rate,
                       const ContiguousArray<std::int64_t>& classes) {
             const auto view = [](const ContiguousArray<double>& rows) {
               return secondlook::MatrixView<double>(rows.data(), rows.shape(0), rows.shape(1));
             };
             const auto [samples, others] = std::pair(view(features), view(held_out));
             const auto numbers = as_span(classes);
             const py::gil_scoped_release release;
             return FeatureDistance(samples, others, false_alarm_rate, numbers);
           }),
           py::arg("features"), py::arg("held_out"), py::arg("false_alarm_rate"),
           py::arg("classes"))
      .def(
          "distances",
          [](const FeatureDistance& fitted, const py::object& features) {
            return rows_to_array(features, 0, false, [&](auto samples, auto out) {
              std::ranges::copy(fitted.distances(samples), out.begin());
            });
          },
          py::arg("features"))
      .def_property_readonly("threshold", &FeatureDistance::threshold)
      .def_property_readonly("n_features", &FeatureDistance::n_features)
      .def_property_readonly("false_alarm_rate",
                             [](const FeatureDistance& f) { return f.state().false_alarm_rate; })
      .def(pickled_state<FeatureDistance>("FeatureDistance"));
}
