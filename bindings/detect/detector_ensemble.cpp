#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/detect/ensemble_stream.hpp"

namespace py = pybind11;
using secondlook::Detector;
using secondlook::DetectorEnsemble;
using secondlook::DetectorEnsembleParameters;
using secondlook::EnsembleMember;
using secondlook::EnsembleStream;
using secondlook::EnsembleVerdict;
using secondlook::ModelFile;

namespace {

using Members = std::vector<std::pair<std::string, std::shared_ptr<Detector>>>;

// Members are cloned, as the objects in Python may change later.
std::vector<EnsembleMember> to_members(const Members& members) {
  std::vector<EnsembleMember> result;
  for (const auto& [name, detector] : members) result.push_back({name, detector->clone()});
  return result;
}

// Model files of the trained members.
std::vector<std::pair<std::string, ModelFile>> member_files(const DetectorEnsemble& ensemble) {
  std::vector<std::pair<std::string, ModelFile>> files;
  for (const auto& member : ensemble.members())
    files.emplace_back(member.name, member.detector->to_file());
  return files;
}

py::object push(EnsembleStream& stream,
                const py::array_t<double, py::array::c_style | py::array::forcecast>& sample) {
  return to_python(stream.push(std::span(sample.data(), static_cast<std::size_t>(sample.size()))));
}

py::dict push_many(EnsembleStream& stream, const ContiguousArray<double>& samples) {
  const auto rows = as_matrix(samples);
  std::vector<EnsembleVerdict> verdicts;
  {
    const py::gil_scoped_release release;
    verdicts = stream.push(rows);
  }
  return to_columns(verdicts);
}

}  // namespace

void register_detector_ensemble(py::module_& detect) {
  constexpr const char* who = "DetectorEnsemble";
  py::class_<DetectorEnsemble, Detector, std::shared_ptr<DetectorEnsemble>>(detect, who)
      .def(py::init([](const Members& members, const py::kwargs& arguments) {
             return DetectorEnsemble(to_members(members),
                                     from_dict<DetectorEnsembleParameters>(who, arguments));
           }),
           py::arg("members"))
      .def_static("from_file", &DetectorEnsemble::from_file, py::arg("file"))
      .def_property_readonly(
          "parameters", [](const DetectorEnsemble& self) { return to_dict(self.parameters()); })
      .def_property_readonly("voters", &DetectorEnsemble::voters)
      .def_property_readonly("member_files", &member_files);
  py::class_<EnsembleStream>(detect, "EnsembleStream")
      .def(py::init([](std::shared_ptr<DetectorEnsemble> ensemble) {
             return EnsembleStream(std::move(ensemble));
           }),
           py::arg("ensemble"))
      .def("push", &push, py::arg("sample"))
      .def("push_many", &push_many, py::arg("samples"))
      .def(
          "use",
          [](EnsembleStream& self, std::shared_ptr<DetectorEnsemble> ensemble) {
            self.use(std::move(ensemble));
          },
          py::arg("ensemble"))
      .def("snapshot", [](const EnsembleStream& self) { return to_array(self.snapshot()); })
      .def(
          "restore",
          [](EnsembleStream& self, const ContiguousArray<double>& snapshot) {
            self.restore(as_span(snapshot));
          },
          py::arg("snapshot"));
}
