#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <vector>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "tabular_detector.hpp"

namespace py = pybind11;
using secondlook::Autoencoder;
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

}  // namespace

void register_neural_detectors(py::module_& detect) { register_autoencoder(detect); }
