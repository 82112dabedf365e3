#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/detect/peer_deviation.hpp"
#include "tabular_detector.hpp"

namespace py = pybind11;
using secondlook::IsolationForest;
using secondlook::IsolationForestParameters;
using secondlook::PeerDeviation;
using secondlook::PeerDeviationStream;
using secondlook::PeerVerdict;
using secondlook::PlantState;

namespace {

void register_isolation_forest(py::module_& module) {
  auto forest = py::class_<IsolationForest>(module, "IsolationForest");
  define_tabular_detector(forest);
  forest
      .def(py::init([](std::size_t n_estimators, std::size_t max_samples, std::size_t max_features,
                       std::optional<double> contamination, bool route_missing,
                       double refresh_fraction, std::uint64_t seed, int n_jobs) {
             return IsolationForest({n_estimators, max_samples, max_features, contamination,
                                     route_missing, refresh_fraction, seed, n_jobs});
           }),
           py::kw_only(), py::arg("n_estimators"), py::arg("max_samples"), py::arg("max_features"),
           py::arg("contamination"), py::arg("route_missing"), py::arg("refresh_fraction"),
           py::arg("seed"), py::arg("n_jobs"))
      .def("merge", &IsolationForest::merge, py::arg("other"))
      .def("expected_path_length", &IsolationForest::expected_path_length)
      .def_property_readonly("n_trees", &IsolationForest::n_trees)
      .def_property_readonly("subsample_size", &IsolationForest::subsample_size)
      .def_property_readonly("n_pending", &IsolationForest::n_pending)
      .def_property_readonly("memory_bytes", &IsolationForest::memory_bytes)
      .def_property_readonly("parameters", [](const IsolationForest& self) {
        const auto& p = self.parameters();
        return py::dict(
            py::arg("n_estimators") = p.n_estimators, py::arg("max_samples") = p.max_samples,
            py::arg("max_features") = p.max_features, py::arg("contamination") = p.contamination,
            py::arg("route_missing") = p.route_missing,
            py::arg("refresh_fraction") = p.refresh_fraction, py::arg("seed") = p.seed,
            py::arg("n_jobs") = p.n_jobs);
      });
}

py::dict to_columns(const std::vector<PeerVerdict>& verdicts) {
  py::dict columns;
  const auto add = [&](const char* name, auto field) {
    columns[name] = to_column(verdicts, field);
  };
  add("n_judged", &PeerVerdict::n_judged);
  add("n_beyond", &PeerVerdict::n_beyond);
  add("first", &PeerVerdict::first);
  add("last", &PeerVerdict::last);
  add("worst", &PeerVerdict::worst);
  add("worst_ratio", &PeerVerdict::worst_ratio);
  add("worst_deviation", &PeerVerdict::worst_deviation);
  add("worst_sigma", &PeerVerdict::worst_sigma);
  return columns;
}

py::object judge(const PeerDeviation& detector, py::handle x,
                 const std::optional<ContiguousArray<std::uint8_t>>& active,
                 const py::object& callback) {
  return with_samples(x, 0, [&](auto readings) -> py::object {
    const auto progress = make_progress(callback);
    const auto where = active ? as_span(*active) : std::span<const std::uint8_t>();
    std::vector<PeerVerdict> verdicts;
    {
      const py::gil_scoped_release release;
      verdicts = detector.judge(readings, where, progress);
    }
    return to_columns(verdicts);
  });
}

py::object bands(const PeerDeviation& detector, py::handle x) {
  return with_samples(x, 0, [&](auto readings) -> py::object {
    py::array_t<double> values({readings.rows(), Eigen::Index{2}});
    std::vector<secondlook::PeerBand> found;
    {
      const py::gil_scoped_release release;
      found = detector.bands(readings);
    }
    auto view = values.mutable_unchecked<2>();
    for (std::size_t i = 0; i < found.size(); ++i) {
      view(static_cast<py::ssize_t>(i), 0) = found[i].centre;
      view(static_cast<py::ssize_t>(i), 1) = found[i].half_width;
    }
    return values;
  });
}

void register_peer_deviation(py::module_& module) {
  py::enum_<secondlook::Side>(module, "Side")
      .value("both", secondlook::Side::both)
      .value("low", secondlook::Side::low)
      .value("high", secondlook::Side::high);
  py::class_<PeerDeviation>(module, "PeerDeviation")
      .def(py::init([](double n_sigma, double floor, std::optional<double> bound,
                       secondlook::Side side, bool robust, int n_jobs) {
             return PeerDeviation({n_sigma, floor, bound, side, robust, n_jobs});
           }),
           py::kw_only(), py::arg("n_sigma"), py::arg("floor"), py::arg("bound"), py::arg("side"),
           py::arg("robust"), py::arg("n_jobs"))
      .def("judge", &judge, py::arg("x"), py::arg("active"), py::arg("progress"))
      .def("bands", &bands, py::arg("x"));
  py::class_<PeerDeviationStream>(module, "PeerDeviationStream")
      .def(py::init<const PeerDeviation&, std::size_t>(), py::arg("detector"), py::arg("n_sensors"))
      .def(
          "push",
          [](PeerDeviationStream& stream, const ContiguousArray<double>& readings, bool active) {
            const auto band = stream.push(as_span(readings), active);
            return std::make_pair(band.centre, band.half_width);
          },
          py::arg("readings"), py::arg("active"))
      .def("verdicts",
           [](const PeerDeviationStream& stream) { return to_columns(stream.verdicts()); })
      .def_property_readonly("n_instants", &PeerDeviationStream::n_instants);
  module.def(
      "plant_states",
      [](const ContiguousArray<double>& current, double threshold) {
        const auto states = secondlook::plant_states(as_span(current), threshold);
        std::vector<std::uint8_t> values(states.size());
        for (std::size_t i = 0; i < states.size(); ++i)
          values[i] = static_cast<std::uint8_t>(states[i]);
        return to_array(std::move(values));
      },
      py::arg("current"), py::arg("threshold"));
}

}  // namespace

void register_detect(py::module_& module) {
  auto detect = module.def_submodule("detect");
  register_isolation_forest(detect);
  register_neural_detectors(detect);
  register_peer_deviation(detect);
  register_ensemble(detect);
  register_surprise_stream(detect);
}
