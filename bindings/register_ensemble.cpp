#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "secondlook/detect/ensemble_stream.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"
#include "tabular_detector.hpp"

namespace py = pybind11;
using secondlook::DetectorEnsemble;
using secondlook::DomainRule;
using secondlook::EnsembleMember;
using secondlook::EnsembleStream;
using secondlook::EnsembleVerdict;
using secondlook::ModelFile;

namespace {

using Members = std::vector<std::pair<std::string, py::object>>;
using Rules = std::vector<std::tuple<std::size_t, double, double, std::string>>;

// Members are cloned: what Python holds may change later.
std::vector<EnsembleMember> to_members(const Members& members) {
  std::vector<EnsembleMember> result;
  const auto try_as = [&]<class Detector>(const std::string& name, const py::object& member,
                                          Detector*) {
    if (!py::isinstance<Detector>(member)) return false;
    result.push_back({name, std::make_shared<const Detector>(member.cast<const Detector&>())});
    return true;
  };
  for (const auto& [name, member] : members)
    if (!try_as(name, member, static_cast<secondlook::Autoencoder*>(nullptr)) &&
        !try_as(name, member, static_cast<secondlook::IsolationForest*>(nullptr)) &&
        !try_as(name, member, static_cast<secondlook::LstmForecaster*>(nullptr)))
      throw secondlook::InvalidArgument("DetectorEnsemble: expected a detector for member " + name);
  return result;
}

std::vector<DomainRule> to_rules(const Rules& rules) {
  std::vector<DomainRule> result;
  for (const auto& [feature, lower, upper, reason] : rules)
    result.push_back({feature, lower, upper, reason});
  return result;
}

py::dict to_dict(const secondlook::DetectorEnsembleParameters& p) {
  Rules rules;
  for (const auto& rule : p.rules)
    rules.emplace_back(rule.feature, rule.lower, rule.upper, rule.reason);
  return py::dict(py::arg("votes") = p.votes, py::arg("n_sigma") = p.n_sigma,
                  py::arg("recent_level") = p.recent_level,
                  py::arg("recent_window") = p.recent_window,
                  py::arg("limit_level") = p.limit_level, py::arg("rules") = rules,
                  py::arg("feature_names") = p.feature_names);
}

// Files of the trained members.
std::vector<std::pair<std::string, ModelFile>> member_files(const DetectorEnsemble& ensemble) {
  std::vector<std::pair<std::string, ModelFile>> files;
  for (const auto& member : ensemble.members())
    files.emplace_back(member.name,
                       dynamic_cast<const secondlook::Model&>(*member.detector).to_file());
  return files;
}

auto to_tuple(const EnsembleVerdict& verdict) {
  return py::make_tuple(verdict.score, verdict.votes, static_cast<int>(verdict.severity),
                        verdict.reasons);
}

py::dict to_columns(const std::vector<EnsembleVerdict>& verdicts) {
  const auto n = static_cast<py::ssize_t>(verdicts.size());
  py::array_t<double> score(n);
  py::array_t<std::uint32_t> votes(n);
  py::array_t<std::int8_t> severity(n);
  py::list reasons;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    score.mutable_data()[i] = verdicts[i].score;
    votes.mutable_data()[i] = verdicts[i].votes;
    severity.mutable_data()[i] = static_cast<std::int8_t>(verdicts[i].severity);
    reasons.append(verdicts[i].reasons);
  }
  return py::dict(py::arg("score") = score, py::arg("votes") = votes,
                  py::arg("severity") = severity, py::arg("reasons") = reasons);
}

py::tuple push(EnsembleStream& stream,
               const py::array_t<double, py::array::c_style | py::array::forcecast>& sample) {
  return to_tuple(stream.push(std::span(sample.data(), static_cast<std::size_t>(sample.size()))));
}

py::dict push_many(EnsembleStream& stream, const ContiguousArray<double>& samples) {
  if (samples.ndim() != 2)
    throw secondlook::InvalidArgument("EnsembleStream: expected samples of 2 dimensions, got " +
                                      std::to_string(samples.ndim()));
  const secondlook::MatrixView<double> rows(samples.data(), samples.shape(0), samples.shape(1));
  std::vector<EnsembleVerdict> verdicts;
  {
    const py::gil_scoped_release release;
    verdicts = stream.push(rows);
  }
  return to_columns(verdicts);
}

}  // namespace

void register_ensemble(py::module_& detect) {
  auto type =
      py::class_<DetectorEnsemble, std::shared_ptr<DetectorEnsemble>>(detect, "DetectorEnsemble");
  define_tabular_detector(type);
  type.def(py::init([](const Members& members, std::size_t votes, double n_sigma,
                       double recent_level, std::size_t recent_window, double limit_level,
                       const Rules& rules, std::vector<std::string> feature_names) {
             return DetectorEnsemble(to_members(members),
                                     {votes, n_sigma, recent_level, recent_window, limit_level,
                                      to_rules(rules), std::move(feature_names)});
           }),
           py::kw_only(), py::arg("members"), py::arg("votes"), py::arg("n_sigma"),
           py::arg("recent_level"), py::arg("recent_window"), py::arg("limit_level"),
           py::arg("rules"), py::arg("feature_names"))
      .def_property_readonly("voters", &DetectorEnsemble::voters)
      .def_property_readonly("member_files", &member_files)
      .def_property_readonly("parameters", [](const DetectorEnsemble& ensemble) {
        return to_dict(ensemble.parameters());
      });
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
