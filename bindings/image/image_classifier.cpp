#include "secondlook/image/image_classifier.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "fields.hpp"
#include "image/image_arrays.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Image;
using secondlook::ImageClassifier;
using secondlook::ImageInput;

namespace {

using Labels = ContiguousArray<std::int64_t>;

/// An array is pixels, anything else the path of a file.
ImageInput to_input(py::handle image) {
  if (py::isinstance<py::array>(image)) return to_image(py::cast<py::array>(image));
  return py::cast<std::filesystem::path>(image);
}

std::vector<ImageInput> to_inputs(const py::list& images) {
  std::vector<ImageInput> inputs;
  for (const auto image : images) inputs.push_back(to_input(image));
  return inputs;
}

/// Variations to average, by name: {"flip": True}.
secondlook::TestTimeAugmentation to_variations(const py::dict& variations) {
  return from_dict<secondlook::TestTimeAugmentation>("ImageClassifier: test_time_augmentation",
                                                     variations);
}

/// Checks for Ctrl-C, and reports the progress of training to `callback`.
secondlook::ImageTrainingProgress training_progress(const py::object& callback) {
  return [handle = py::handle(callback)](const secondlook::ImageTrainingStatus& status) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (handle.is_none() || status.total == 0) return true;
    handle(status.done, status.total, status.epoch, status.loss,
           status.last_epoch == nullptr ? py::object(py::none())
                                        : py::object(to_dict(*status.last_epoch)));
    return true;
  };
}

/// Whether training should end, from `callback(epoch, figures)`, which is called after each epoch.
secondlook::ImageEpochCallback epoch_callback(const py::object& callback) {
  if (callback.is_none()) return {};
  return [handle = py::handle(callback)](const secondlook::ImageTrainingStatus& status) {
    const py::gil_scoped_acquire gil;
    return py::cast<bool>(handle(status.epoch, to_dict(*status.last_epoch)));
  };
}

/// Tensors from float32 arrays by name, or from a safetensors file.
secondlook::TensorFile to_tensors(const py::object& weights) {
  if (!py::isinstance<py::dict>(weights))
    return secondlook::read_tensors(py::cast<std::filesystem::path>(weights));
  secondlook::TensorFile file;
  for (const auto& [name, value] : py::cast<py::dict>(weights)) {
    const auto values = py::cast<ContiguousArray<float>>(value);
    secondlook::Tensor tensor;
    tensor.shape.assign(values.shape(), values.shape() + values.ndim());
    const auto bytes = std::as_bytes(as_span(values));
    tensor.bytes.assign(bytes.begin(), bytes.end());
    file.tensors.emplace(py::cast<std::string>(name), std::move(tensor));
  }
  return file;
}

py::dict fit(ImageClassifier& self, const py::list& images, const Labels& labels,
             const Labels& groups, const ContiguousArray<double>& sample_weights,
             const py::list& validation_images, const Labels& validation_labels, bool skip_broken,
             const std::string& checkpoint, const py::object& weights, const py::object& progress,
             const py::object& after_epoch) {
  const auto inputs = to_inputs(images), validation_inputs = to_inputs(validation_images);
  secondlook::TensorFile tensors;
  if (!weights.is_none()) tensors = to_tensors(weights);
  secondlook::ImageFitOptions options;
  options.groups = as_span(groups);
  options.sample_weights = as_span(sample_weights);
  options.validation_images = validation_inputs;
  options.validation_labels = as_span(validation_labels);
  options.skip_broken = skip_broken;
  options.checkpoint = checkpoint;
  options.progress = training_progress(progress);
  options.after_epoch = epoch_callback(after_epoch);
  if (!weights.is_none()) options.weights = &tensors;
  secondlook::ImageFitReport report;
  {
    const py::gil_scoped_release release;
    report = self.fit(inputs, as_span(labels), options);
  }
  return to_dict(report);
}

py::array_t<double> make_rows(const py::list& images, std::size_t width) {
  return py::array_t<double>(
      {static_cast<py::ssize_t>(images.size()), static_cast<py::ssize_t>(width)});
}

py::array_t<double> predict_proba(const ImageClassifier& self, const py::list& images,
                                  const py::dict& variations, const py::object& progress) {
  const auto inputs = to_inputs(images);
  const auto averaged = to_variations(variations);
  auto probabilities = make_rows(images, self.n_classes());
  const auto buffer = as_span(probabilities);
  const auto report = make_progress(progress);
  const py::gil_scoped_release release;
  self.predict_proba(inputs, buffer, averaged, report);
  return probabilities;
}

py::array_t<double> features(const ImageClassifier& self, const py::list& images,
                             const py::object& progress) {
  const auto inputs = to_inputs(images);
  auto features = make_rows(images, self.n_features());
  const auto buffer = as_span(features);
  const auto report = make_progress(progress);
  const py::gil_scoped_release release;
  self.features(inputs, buffer, report);
  return features;
}

py::tuple predict_with_features(const ImageClassifier& self, const py::list& images,
                                const py::dict& variations, const py::object& progress) {
  const auto inputs = to_inputs(images);
  const auto averaged = to_variations(variations);
  auto probabilities = make_rows(images, self.n_classes());
  auto features = make_rows(images, self.n_features());
  const auto probability_buffer = as_span(probabilities), feature_buffer = as_span(features);
  const auto report = make_progress(progress);
  {
    const py::gil_scoped_release release;
    self.predict_with_features(inputs, probability_buffer, feature_buffer, averaged, report);
  }
  return py::make_tuple(probabilities, features);
}

py::array_t<float> heatmap(const ImageClassifier& self, const py::object& image,
                           std::size_t class_index) {
  const auto input = to_input(image);
  secondlook::Heatmap map;
  {
    const py::gil_scoped_release release;
    map = self.heatmap(input, class_index);
  }
  return to_array(std::move(map.values),
                  {static_cast<py::ssize_t>(map.height), static_cast<py::ssize_t>(map.width)});
}

py::array overlay(const ImageClassifier& self, const py::object& image, std::size_t class_index,
                  double strength) {
  const auto input = to_input(image);
  Image picture;
  {
    const py::gil_scoped_release release;
    picture = self.overlay(input, class_index, strength);
  }
  return to_array(std::move(picture));
}

}  // namespace

void register_image_classifier(py::module_& module) {
  py::class_<ImageClassifier>(module, "ImageClassifier")
      .def(init_from_fields<ImageClassifier, secondlook::ImageClassifierParameters>(
          "ImageClassifier"))
      .def("fit", &fit, py::arg("images"), py::arg("labels"), py::arg("groups"),
           py::arg("sample_weights"), py::arg("validation_images"), py::arg("validation_labels"),
           py::arg("skip_broken"), py::arg("checkpoint"), py::arg("weights"), py::arg("progress"),
           py::arg("after_epoch"))
      .def(
          "partial_fit",
          [](ImageClassifier& self, const py::list& images, const Labels& labels,
             const py::object& progress) {
            const auto inputs = to_inputs(images);
            const auto report = training_progress(progress);
            const py::gil_scoped_release release;
            self.partial_fit(inputs, as_span(labels), report);
          },
          py::arg("images"), py::arg("labels"), py::arg("progress"))
      .def("predict_proba", &predict_proba, py::arg("images"), py::arg("variations"),
           py::arg("progress"))
      .def("features", &features, py::arg("images"), py::arg("progress"))
      .def("predict_with_features", &predict_with_features, py::arg("images"),
           py::arg("variations"), py::arg("progress"))
      .def(
          "labelled_rows",
          [](const ImageClassifier& self, const py::list& images, const Labels& labels) {
            const auto inputs = to_inputs(images);
            secondlook::Matrix<float> rows;
            {
              const py::gil_scoped_release release;
              rows = self.labelled_rows(inputs, as_span(labels));
            }
            return to_array(std::move(rows));
          },
          py::arg("images"), py::arg("labels"))
      .def("heatmap", &heatmap, py::arg("image"), py::arg("class_index"))
      .def("overlay", &overlay, py::arg("image"), py::arg("class_index"), py::arg("strength"))
      .def_property_readonly("fitted", &ImageClassifier::fitted)
      .def_property_readonly("n_classes", &ImageClassifier::n_classes)
      .def_property_readonly("n_features", &ImageClassifier::n_features)
      .def_property_readonly("n_weights", &ImageClassifier::n_weights)
      .def_property_readonly("history",
                             [](const ImageClassifier& self) { return to_columns(self.history()); })
      .def_property_readonly("parameters",
                             [](const ImageClassifier& self) { return to_dict(self.parameters()); })
      .def_property_readonly(
          "preprocessing",
          [](const ImageClassifier& self) { return to_dict(self.preprocessing()); })
      .def("copy", [](const ImageClassifier& self) { return ImageClassifier(self); })
      .def("to_file", &ImageClassifier::to_file)
      .def_static("from_file", &ImageClassifier::from_file, py::arg("file"));
}
