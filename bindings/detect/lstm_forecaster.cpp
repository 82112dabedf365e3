#include "secondlook/detect/lstm_forecaster.hpp"

#include <vector>

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Detector;
using secondlook::LstmForecaster;
using secondlook::LstmForecasterParameters;

namespace {

// Converts several series, or returns False if one is not a C-contiguous array of float32 or
// float64.
bool fit_series(LstmForecaster& self, const py::list& series, const py::object& progress) {
  std::vector<secondlook::SampleView> views;
  for (const auto x : series)
    with_samples(x, 0, [&](auto samples) -> py::object {
      views.emplace_back(samples);
      return py::none();
    });
  if (views.size() != series.size()) return false;
  const auto report = make_progress(progress);
  const py::gil_scoped_release release;
  self.fit(std::span<const secondlook::SampleView>(views), report);
  return true;
}

}  // namespace

void register_lstm_forecaster(py::module_& detect) {
  py::class_<LstmForecaster, Detector, std::shared_ptr<LstmForecaster>>(detect, "LstmForecaster")
      .def(init_from_fields<LstmForecaster, LstmForecasterParameters>("LSTMForecaster"))
      .def_static("from_file", &LstmForecaster::from_file, py::arg("file"))
      .def_property_readonly("parameters",
                             [](const LstmForecaster& self) { return to_dict(self.parameters()); })
      .def("fit_series", &fit_series, py::arg("series"), py::arg("progress"))
      .def(
          "residuals",
          [](const LstmForecaster& self, py::handle x) {
            return rows_to_array(x, self.n_features(), true, [&](auto samples, auto values) {
              self.residuals(samples, values);
            });
          },
          py::arg("x"))
      .def(
          "forecast",
          [](const LstmForecaster& self, py::handle x, std::size_t n_steps) {
            return with_samples(x, self.n_features(), [&](auto samples) -> py::object {
              py::array_t<double> ahead({static_cast<py::ssize_t>(n_steps), samples.cols()});
              const auto out = as_span(ahead);
              const py::gil_scoped_release release;
              self.forecast(samples, out);
              return ahead;
            });
          },
          py::arg("x"), py::arg("n_steps"))
      .def_property_readonly("history",
                             [](const LstmForecaster& self) { return to_columns(self.history()); });
}
