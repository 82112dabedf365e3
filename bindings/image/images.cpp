#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "arrays.hpp"
#include "fields.hpp"
#include "image/image_arrays.hpp"
#include "register.hpp"
#include "secondlook/image/architecture.hpp"
#include "secondlook/image/augmentation.hpp"
#include "secondlook/image/decode.hpp"
#include "secondlook/image/group_split.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace py = pybind11;
using secondlook::Augmentation;

namespace {

/// Calls `use` without the GIL.
template <class Use>
auto released(const Use& use) {
  const py::gil_scoped_release release;
  return use();
}

using Page = std::optional<std::size_t>;

py::array decode_bytes(const py::bytes& data, const std::string& name, std::size_t max_pixels,
                       const Page& page) {
  const auto view = static_cast<std::string_view>(data);
  return to_array(released([&] {
    return secondlook::decode_image(std::as_bytes(std::span(view)), name, max_pixels, page);
  }));
}

py::array read_file(const std::filesystem::path& file, std::size_t max_pixels, const Page& page) {
  return to_array(released([&] { return secondlook::read_image(file, max_pixels, page); }));
}

py::array_t<float> preprocess(const py::array& pixels, const py::dict& options) {
  const auto image = to_image(pixels);
  const auto preprocessing = from_dict<secondlook::Preprocessing>("preprocess", options);
  auto values = released([&] { return secondlook::preprocess(image, preprocessing); });
  return to_array(std::move(values), {static_cast<py::ssize_t>(preprocessing.channels),
                                      static_cast<py::ssize_t>(preprocessing.height),
                                      static_cast<py::ssize_t>(preprocessing.width)});
}

py::array augment(const py::array& pixels, const py::dict& options, std::uint64_t seed,
                  std::uint64_t epoch, std::uint64_t index) {
  const auto image = to_image(pixels);
  const auto augmentation = from_dict<Augmentation>("Augmentation", options);
  return to_array(
      released([&] { return secondlook::augment(image, augmentation, seed, epoch, index); }));
}

/// Name and shape of each tensor.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> tensors_of(
    const std::string& architecture, std::size_t channels, std::size_t height, std::size_t width,
    std::size_t n_classes) {
  secondlook::Architecture which{};
  from_python("tensors_of: architecture", py::str(architecture), which);
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> tensors;
  for (auto& tensor : secondlook::tensors_of(which, channels, height, width, n_classes))
    tensors.emplace_back(std::move(tensor.name), std::move(tensor.shape));
  return tensors;
}

/// Indices of the images trained on, and of those held out.
std::pair<std::vector<std::size_t>, std::vector<std::size_t>> split_by_group(
    const ContiguousArray<std::int64_t>& labels, const ContiguousArray<std::int64_t>& groups,
    double fraction, std::uint64_t seed) {
  auto split = secondlook::split_by_group(as_span(labels), as_span(groups), fraction, seed);
  return {std::move(split.training), std::move(split.validation)};
}

}  // namespace

void register_images(py::module_& module) {
  module.attr("pybind11_internals_version") = PYBIND11_INTERNALS_VERSION;
  module.attr("MAX_PIXELS") = secondlook::kMaxPixels;
  module.def("decode", &decode_bytes, py::arg("data"), py::arg("name"), py::arg("max_pixels"),
             py::arg("page"));
  module.def("read", &read_file, py::arg("file"), py::arg("max_pixels"), py::arg("page"));
  module.def("split_by_group", &split_by_group, py::arg("labels"), py::arg("groups"),
             py::arg("fraction"), py::arg("seed"));
  module.def(
      "resize",
      [](const py::array& pixels, std::size_t height, std::size_t width) {
        return to_array(secondlook::resize(to_image(pixels), height, width));
      },
      py::arg("pixels"), py::arg("height"), py::arg("width"));
  module.def("preprocess", &preprocess, py::arg("pixels"), py::arg("options"));
  module.def("check_augmentation", [](const py::dict& options) {
    secondlook::check("Augmentation", from_dict<Augmentation>("Augmentation", options));
  });
  module.def("augment", &augment, py::arg("pixels"), py::arg("options"), py::arg("seed"),
             py::arg("epoch"), py::arg("index"));
  module.def("tensors_of", &tensors_of, py::arg("architecture"), py::arg("channels"),
             py::arg("height"), py::arg("width"), py::arg("n_classes"));
}
