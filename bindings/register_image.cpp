#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/image/decode.hpp"
#include "secondlook/image/network.hpp"

namespace py = pybind11;

namespace {

using Shape = std::pair<std::size_t, std::size_t>;
using Channels = std::array<float, 3>;

py::array_t<float> to_numpy(secondlook::ImageTensor&& image) {
  return to_array(std::move(image.values),
                  {secondlook::ImageTensor::channels, static_cast<py::ssize_t>(image.height),
                   static_cast<py::ssize_t>(image.width)});
}

py::array_t<float> decode_bytes(const py::bytes& data, Shape size, Channels mean,
                                Channels standard_deviation, const std::string& name) {
  const auto view = static_cast<std::string_view>(data);
  secondlook::ImageTensor image;
  {
    const py::gil_scoped_release release;
    image = secondlook::decode_image(std::as_bytes(std::span(view)),
                                     {size.first, size.second, mean, standard_deviation}, name);
  }
  return to_numpy(std::move(image));
}

py::array_t<float> decode_file(const std::string& file, Shape size, Channels mean,
                               Channels standard_deviation) {
  secondlook::ImageTensor image;
  {
    const py::gil_scoped_release release;
    image = secondlook::decode_image(std::filesystem::path(file),
                                     {size.first, size.second, mean, standard_deviation});
  }
  return to_numpy(std::move(image));
}

}  // namespace

void register_image(py::module_& module) {
  module.attr("pybind11_internals_version") = PYBIND11_INTERNALS_VERSION;
  module.def("decode_bytes", &decode_bytes, py::arg("data"), py::arg("size"), py::arg("mean"),
             py::arg("standard_deviation"), py::arg("name"));
  module.def("decode_file", &decode_file, py::arg("file"), py::arg("size"), py::arg("mean"),
             py::arg("standard_deviation"));
  module.def(
      "train_small_network",
      [](std::size_t samples, std::size_t features, std::size_t hidden, std::size_t steps,
         std::uint64_t seed) {
        const py::gil_scoped_release release;
        const auto loss = secondlook::train_small_network(samples, features, hidden, steps, seed);
        return std::pair(loss.first, loss.last);
      },
      py::arg("samples"), py::arg("features"), py::arg("hidden"), py::arg("steps"),
      py::arg("seed"));
}
