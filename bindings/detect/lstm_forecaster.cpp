#include "secondlook/detect/lstm_forecaster.hpp"

#include <vector>

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Detector;
using secondlook::LstmForecaster;
using secondlook::LstmForecasterParameters;
using secondlook::LstmStream;

namespace {

// Several series, all C-contiguous arrays of float32 or float64, or False.
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

// One sample of a stream: an array of one dimension in place, anything else converted.
double push(LstmStream& stream, py::handle sample) {
  const auto push_as = [&](const auto& array) {
    return stream.push(std::span(array.data(), static_cast<std::size_t>(array.size())));
  };
  if (ContiguousArray<double>::check_(sample))
    return push_as(py::reinterpret_borrow<ContiguousArray<double>>(sample));
  if (ContiguousArray<float>::check_(sample))
    return push_as(py::reinterpret_borrow<ContiguousArray<float>>(sample));
  if (PyFloat_CheckExact(sample.ptr())) {
    const double value = PyFloat_AS_DOUBLE(sample.ptr());
    return stream.push(std::span(&value, 1));
  }
  return push_as(sample.cast<py::array_t<double, py::array::c_style | py::array::forcecast>>());
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
  py::class_<LstmStream>(detect, "LstmStream")
      .def(py::init([](const LstmForecaster& forecaster) { return forecaster.stream(); }),
           py::arg("forecaster"))
      .def("push", &push, py::arg("sample"))
      .def("snapshot", [](const LstmStream& self) { return to_array(self.snapshot()); })
      .def(
          "restore",
          [](LstmStream& self, const ContiguousArray<double>& snapshot) {
            self.restore(as_span(snapshot));
          },
          py::arg("snapshot"))
      .def_property_readonly("contributions",
                             [](const LstmStream& self) {
                               const auto parts = self.contributions();
                               return py::array_t<double>(static_cast<py::ssize_t>(parts.size()),
                                                          parts.data());
                             })
      .def("forecast",
           [](const LstmStream& self) {
             py::array_t<double> sample(static_cast<py::ssize_t>(self.n_channels()));
             self.forecast(as_span(sample));
             return sample;
           })
      .def_property_readonly("n_channels", &LstmStream::n_channels);
}
