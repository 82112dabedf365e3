#include "secondlook/store/model_file.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "register.hpp"
#include "secondlook/core/error.hpp"

namespace py = pybind11;
using secondlook::DataType;
using secondlook::ModelFile;
using secondlook::Tensor;

namespace {

// NumPy has no bfloat16, so its bits are returned as uint16.
py::dtype to_dtype(DataType type) {
  switch (type) {
    case DataType::boolean:
      return py::dtype("?");
    case DataType::u8:
      return py::dtype("u1");
    case DataType::i8:
      return py::dtype("i1");
    case DataType::u16:
      return py::dtype("u2");
    case DataType::i16:
      return py::dtype("i2");
    case DataType::f16:
      return py::dtype("f2");
    case DataType::bf16:
      return py::dtype("u2");
    case DataType::u32:
      return py::dtype("u4");
    case DataType::i32:
      return py::dtype("i4");
    case DataType::f32:
      return py::dtype("f4");
    case DataType::u64:
      return py::dtype("u8");
    case DataType::i64:
      return py::dtype("i8");
    case DataType::f64:
      return py::dtype("f8");
  }
  throw secondlook::InvalidArgument("ModelFile: unknown type");
}

DataType to_data_type(const py::dtype& dtype) {
  const std::string name = std::string(1, dtype.kind()) + std::to_string(dtype.itemsize());
  for (const DataType type :
       {DataType::boolean, DataType::u8, DataType::i8, DataType::u16, DataType::i16, DataType::f16,
        DataType::u32, DataType::i32, DataType::f32, DataType::u64, DataType::i64, DataType::f64}) {
    const py::dtype candidate = to_dtype(type);
    if (std::string(1, candidate.kind()) + std::to_string(candidate.itemsize()) == name)
      return type;
  }
  throw py::type_error("ModelFile.add: expected an array of numbers or bool, got " +
                       std::string(py::str(dtype)));
}

void add(ModelFile& file, std::string name, const py::array& values) {
  Tensor tensor;
  tensor.type = to_data_type(values.dtype());
  const py::array native = py::module_::import("numpy").attr("require")(
      values, values.dtype().attr("newbyteorder")("="), "C");
  tensor.shape.assign(values.shape(), values.shape() + values.ndim());
  tensor.bytes.resize(static_cast<std::size_t>(native.nbytes()));
  if (!tensor.bytes.empty()) std::memcpy(tensor.bytes.data(), native.data(), tensor.bytes.size());
  file.add(std::move(name), std::move(tensor));
}

py::dict tensors(const ModelFile& file) {
  py::dict arrays;
  for (const auto& [name, tensor] : file.tensors()) {
    py::array array(to_dtype(tensor.type), tensor.shape);
    if (!tensor.bytes.empty())
      std::memcpy(array.mutable_data(), tensor.bytes.data(), tensor.bytes.size());
    arrays[py::str(name)] = array;
  }
  return arrays;
}

ModelFile parse(const py::bytes& bytes) {
  const std::string_view view = bytes;
  const py::gil_scoped_release release;
  return ModelFile::parse(std::as_bytes(std::span(view)));
}

}  // namespace

void register_model_file(py::module_& store) {
  store.attr("FORMAT_VERSION") = ModelFile::kFormatVersion;
  py::class_<ModelFile>(store, "ModelFile")
      .def(py::init<std::string>(), py::arg("kind"))
      .def_property_readonly("kind", &ModelFile::kind)
      .def_property_readonly("library_version", &ModelFile::library_version)
      .def_property_readonly("sections",
                             [](const ModelFile& file) {
                               py::dict sections;
                               for (const auto& [name, text] : file.sections())
                                 sections[py::str(name)] = py::str(text);
                               return sections;
                             })
      .def("set_section", &ModelFile::set_section, py::arg("name"), py::arg("json"))
      .def("section", &ModelFile::section, py::arg("name"))
      .def_property_readonly("tensors", &tensors)
      .def("add", &add, py::arg("name"), py::arg("values"))
      .def("write", &ModelFile::write, py::arg("path"), py::call_guard<py::gil_scoped_release>())
      .def_static("read", &ModelFile::read, py::arg("path"),
                  py::call_guard<py::gil_scoped_release>())
      .def("serialize", [](const ModelFile& file) { return py::bytes(file.serialize()); })
      .def_static("parse", &parse, py::arg("bytes"))
      .def(
          "__eq__", [](const ModelFile& a, const ModelFile& b) { return a == b; },
          py::is_operator());
}
