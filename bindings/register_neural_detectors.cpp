#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <vector>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"
#include "tabular_detector.hpp"

namespace py = pybind11;
using secondlook::Autoencoder;
using secondlook::LstmForecaster;
using secondlook::LstmStream;
using secondlook::TrainingEpoch;

namespace {

// One row an epoch: loss, validation loss, learning rate.
py::array_t<double> history_array(const std::vector<TrainingEpoch>& history) {
  std::vector<double> values;
  for (const auto& epoch : history)
    values.insert(values.end(), {epoch.loss, epoch.validation_loss, epoch.learning_rate});
  return to_array(std::move(values), {static_cast<py::ssize_t>(history.size()), 3});
}

void register_autoencoder(py::module_& module) {
  auto type = py::class_<Autoencoder>(module, "Autoencoder");
  define_tabular_detector(type);
  type.def(py::init([](std::vector<std::size_t> hidden, double dropout, double learning_rate,
                       double weight_decay, std::size_t batch_size, std::size_t max_epochs,
                       std::size_t patience, double validation_fraction, double contamination,
                       std::vector<double> feature_weights, std::uint64_t seed, int n_jobs) {
             return Autoencoder({std::move(hidden), dropout, learning_rate, weight_decay,
                                 batch_size, max_epochs, patience, validation_fraction,
                                 contamination, std::move(feature_weights), seed, n_jobs});
           }),
           py::kw_only(), py::arg("hidden"), py::arg("dropout"), py::arg("learning_rate"),
           py::arg("weight_decay"), py::arg("batch_size"), py::arg("max_epochs"),
           py::arg("patience"), py::arg("validation_fraction"), py::arg("contamination"),
           py::arg("feature_weights"), py::arg("seed"), py::arg("n_jobs"))
      .def(
          "reconstruct",
          [](const Autoencoder& self, py::handle x) {
            return rows_to_array(x, self.n_features(), true, [&](auto samples, auto values) {
              self.reconstruct(samples, values);
            });
          },
          py::arg("x"))
      .def_property_readonly("history",
                             [](const Autoencoder& self) { return history_array(self.history()); })
      .def_property_readonly("parameters", [](const Autoencoder& self) {
        const auto& p = self.parameters();
        return py::dict(py::arg("hidden") = p.hidden, py::arg("dropout") = p.dropout,
                        py::arg("learning_rate") = p.learning_rate,
                        py::arg("weight_decay") = p.weight_decay,
                        py::arg("batch_size") = p.batch_size, py::arg("max_epochs") = p.max_epochs,
                        py::arg("patience") = p.patience,
                        py::arg("validation_fraction") = p.validation_fraction,
                        py::arg("contamination") = p.contamination,
                        py::arg("feature_weights") = p.feature_weights, py::arg("seed") = p.seed,
                        py::arg("n_jobs") = p.n_jobs);
      });
}

// Several series, all C-contiguous arrays of the same type, or False.
bool fit_series(LstmForecaster& self, const py::list& series, const py::object& progress) {
  const auto fit_as = [&]<class Scalar>(Scalar) {
    std::vector<secondlook::MatrixView<Scalar>> views;
    for (const auto x : series)
      with_samples(x, 0, [&](auto samples) -> py::object {
        if constexpr (std::is_same_v<decltype(samples), secondlook::MatrixView<Scalar>>)
          views.push_back(samples);
        return py::none();
      });
    if (views.size() != series.size()) return false;
    const auto report = make_progress(progress);
    const py::gil_scoped_release release;
    self.fit(std::span<const secondlook::MatrixView<Scalar>>(views), report);
    return true;
  };
  return fit_as(double{}) || fit_as(float{});
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

void register_lstm_forecaster(py::module_& module) {
  auto type = py::class_<LstmForecaster>(module, "LstmForecaster");
  define_tabular_detector(type);
  type.def(py::init([](std::size_t window, std::size_t hidden, std::size_t layers, double dropout,
                       double learning_rate, double weight_decay, std::size_t batch_size,
                       std::size_t max_epochs, std::size_t patience, double validation_fraction,
                       std::size_t max_gap, double contamination, std::uint64_t seed, int n_jobs) {
             return LstmForecaster({window, hidden, layers, dropout, learning_rate, weight_decay,
                                    batch_size, max_epochs, patience, validation_fraction, max_gap,
                                    contamination, seed, n_jobs});
           }),
           py::kw_only(), py::arg("window"), py::arg("hidden"), py::arg("layers"),
           py::arg("dropout"), py::arg("learning_rate"), py::arg("weight_decay"),
           py::arg("batch_size"), py::arg("max_epochs"), py::arg("patience"),
           py::arg("validation_fraction"), py::arg("max_gap"), py::arg("contamination"),
           py::arg("seed"), py::arg("n_jobs"))
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
      .def_property_readonly(
          "history", [](const LstmForecaster& self) { return history_array(self.history()); })
      .def_property_readonly("parameters", [](const LstmForecaster& self) {
        const auto& p = self.parameters();
        return py::dict(py::arg("window") = p.window, py::arg("hidden") = p.hidden,
                        py::arg("layers") = p.layers, py::arg("dropout") = p.dropout,
                        py::arg("learning_rate") = p.learning_rate,
                        py::arg("weight_decay") = p.weight_decay,
                        py::arg("batch_size") = p.batch_size, py::arg("max_epochs") = p.max_epochs,
                        py::arg("patience") = p.patience,
                        py::arg("validation_fraction") = p.validation_fraction,
                        py::arg("max_gap") = p.max_gap, py::arg("contamination") = p.contamination,
                        py::arg("seed") = p.seed, py::arg("n_jobs") = p.n_jobs);
      });
  py::class_<LstmStream>(module, "LstmStream")
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
      .def_property_readonly("n_channels", &LstmStream::n_channels)
      .def_property_readonly("n_seen", &LstmStream::n_seen);
}

}  // namespace

void register_neural_detectors(py::module_& detect) {
  register_autoencoder(detect);
  register_lstm_forecaster(detect);
}
