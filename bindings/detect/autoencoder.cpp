#include "secondlook/detect/autoencoder.hpp"

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Autoencoder;
using secondlook::AutoencoderParameters;
using secondlook::Detector;

void register_autoencoder(py::module_& detect) {
  py::class_<Autoencoder, Detector, std::shared_ptr<Autoencoder>>(detect, "Autoencoder")
      .def(init_from_fields<Autoencoder, AutoencoderParameters>("Autoencoder"))
      .def_static("from_file", &Autoencoder::from_file, py::arg("file"))
      .def_property_readonly("parameters",
                             [](const Autoencoder& self) { return to_dict(self.parameters()); })
      .def(
          "reconstruct",
          [](const Autoencoder& self, py::handle x) {
            return rows_to_array(x, self.n_features(), true, [&](auto samples, auto values) {
              self.reconstruct(samples, values);
            });
          },
          py::arg("x"))
      .def_property_readonly("history",
                             [](const Autoencoder& self) { return to_columns(self.history()); });
}
