#include "secondlook/series/battery_features.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::BatteryFeatures;

namespace {

py::array_t<double> push_many(BatteryFeatures& self, const ContiguousArray<std::int64_t>& time_ns,
                              const ContiguousArray<std::int64_t>& clock_ns,
                              const ContiguousArray<double>& samples) {
  const auto rows = as_matrix(samples);
  if (rows.rows() != time_ns.size() || clock_ns.size() != time_ns.size() || rows.cols() != 3)
    throw secondlook::InvalidArgument(
        "BatteryFeatures: expected samples of shape (" + std::to_string(time_ns.size()) +
        ", 3), got (" + std::to_string(rows.rows()) + ", " + std::to_string(rows.cols()) + ")");
  constexpr auto kWidth = static_cast<py::ssize_t>(BatteryFeatures::kFeatures);
  py::array_t<double> features({static_cast<py::ssize_t>(rows.rows()), kWidth});
  const auto times = as_span(time_ns);
  const auto clock = as_span(clock_ns);
  double* out = features.mutable_data();
  const py::gil_scoped_release release;
  BatteryFeatures after = self;
  for (secondlook::Index i = 0; i < rows.rows(); ++i) {
    const std::int64_t time = times[static_cast<std::size_t>(i)];
    const std::int64_t offset = clock[static_cast<std::size_t>(i)] - time;
    after.push({time, rows(i, 0), rows(i, 1), rows(i, 2), offset},
               std::span<double, BatteryFeatures::kFeatures>(out + i * kWidth,
                                                             BatteryFeatures::kFeatures));
  }
  self = std::move(after);
  return features;
}

}  // namespace

void register_battery_features(py::module_& series) {
  py::class_<BatteryFeatures>(series, "BatteryFeatures")
      .def(init_from_fields<BatteryFeatures, secondlook::BatteryFeaturesParameters>(
          "BatteryFeatures"))
      .def("push_many", &push_many, py::arg("time_ns"), py::arg("clock_ns"), py::arg("samples"))
      .def_property_readonly_static("names",
                                    [](const py::object&) {
                                      return std::vector<std::string>(
                                          BatteryFeatures::names.begin(),
                                          BatteryFeatures::names.end());
                                    })
      .def_property_readonly("window_times",
                             [](const BatteryFeatures& self) {
                               std::vector<std::int64_t> times;
                               for (const auto& s : self.window()) times.push_back(s.time_ns);
                               return to_array(std::move(times));
                             })
      .def_property_readonly("window_samples", [](const BatteryFeatures& self) {
        std::vector<double> values;
        for (const auto& s : self.window())
          values.insert(values.end(), {s.voltage, s.current, s.temperature});
        return to_array(std::move(values), {static_cast<py::ssize_t>(self.window().size()), 3});
      });
}
