#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/learn/adwin.hpp"
#include "secondlook/learn/incremental_learner.hpp"
#include "secondlook/learn/kolmogorov_smirnov.hpp"
#include "secondlook/learn/page_hinkley.hpp"
#include "secondlook/store/model.hpp"
#include "tabular_detector.hpp"

namespace py = pybind11;
using secondlook::Adwin;
using secondlook::IncrementalLearner;
using secondlook::IncrementalLearnerParameters;
using secondlook::ModelFile;
using secondlook::PageHinkley;
using secondlook::UpdateOutcome;
using secondlook::UpdateReport;

namespace {

py::dict to_dict(const UpdateReport& report) {
  constexpr const char* kOutcomes[] = {"accepted", "rolled back", "refused"};
  return py::dict(
      py::arg("outcome") = kOutcomes[static_cast<int>(report.outcome)],
      py::arg("reason") = report.reason, py::arg("version") = report.version,
      py::arg("time_ns") = report.time_ns, py::arg("seconds") = report.seconds,
      py::arg("n_rows") = report.n_rows, py::arg("n_suspected") = report.n_suspected,
      py::arg("n_learned") = report.n_learned, py::arg("n_held_back") = report.n_held_back,
      py::arg("n_replayed") = report.n_replayed, py::arg("n_passes") = report.n_passes,
      py::arg("fresh_before") = report.fresh_before, py::arg("fresh_after") = report.fresh_after,
      py::arg("replay_before") = report.replay_before,
      py::arg("replay_after") = report.replay_after, py::arg("allowed_loss") = report.allowed_loss,
      py::arg("drift") = report.drift, py::arg("mean_changed") = report.mean_changed,
      py::arg("ks_statistic") = report.ks_statistic, py::arg("p_value") = report.p_value);
}

void register_incremental_learner(py::module_& module) {
  py::class_<IncrementalLearner>(module, "IncrementalLearner")
      .def(py::init([](const ModelFile& file, const ContiguousArray<double>& calibration,
                       const std::optional<std::filesystem::path>& folder,
                       std::vector<std::string> feature_names, double suspicion_rate,
                       double max_suspected_share, double replay_ratio, double held_back_share,
                       std::size_t max_passes, double tolerance, double significance,
                       double adwin_delta, std::size_t replay_size, std::size_t held_back_size,
                       std::size_t keep_versions, std::uint64_t seed) {
             const secondlook::MatrixView<double> rows(calibration.data(), calibration.shape(0),
                                                       calibration.shape(1));
             const py::gil_scoped_release release;
             return IncrementalLearner(
                 secondlook::as_detector(secondlook::load(file)), rows,
                 {suspicion_rate, max_suspected_share, replay_ratio, held_back_share, max_passes,
                  tolerance, significance, adwin_delta, replay_size, held_back_size, keep_versions,
                  seed},
                 folder, std::move(feature_names), secondlook::ModelExtras::of(file));
           }),
           py::arg("file"), py::arg("calibration"), py::arg("folder"), py::arg("feature_names"),
           py::kw_only(), py::arg("suspicion_rate"), py::arg("max_suspected_share"),
           py::arg("replay_ratio"), py::arg("held_back_share"), py::arg("max_passes"),
           py::arg("tolerance"), py::arg("significance"), py::arg("adwin_delta"),
           py::arg("replay_size"), py::arg("held_back_size"), py::arg("keep_versions"),
           py::arg("seed"))
      .def_static("open", &IncrementalLearner::open, py::arg("folder"),
                  py::call_guard<py::gil_scoped_release>())
      .def(
          "score_samples",
          [](const IncrementalLearner& self, py::handle x) {
            return rows_to_array(x, self.n_features(), false, [&](auto samples, auto scores) {
              self.score_samples(samples, scores);
            });
          },
          py::arg("x"))
      .def(
          "decision_function",
          [](const IncrementalLearner& self, py::handle x) {
            return rows_to_array(x, self.n_features(), false, [&](auto samples, auto values) {
              self.decision_function(samples, values);
            });
          },
          py::arg("x"))
      .def(
          "update",
          [](IncrementalLearner& self, py::handle x, bool trusted, const py::object& progress) {
            return with_samples(x, self.n_features(), [&](auto samples) -> py::object {
              UpdateReport report;
              {
                const py::gil_scoped_release release;
                report = self.update(samples, trusted, make_progress(progress));
              }
              return to_dict(report);
            });
          },
          py::arg("x"), py::arg("trusted"), py::arg("progress"))
      .def("rollback", &IncrementalLearner::rollback, py::arg("version"), py::arg("reason"),
           py::call_guard<py::gil_scoped_release>())
      // Both wait for an update that is under way, which may want the GIL for its progress.
      .def_property_readonly(
          "versions",
          [](const IncrementalLearner& self) {
            std::vector<secondlook::LearnedVersion> found;
            {
              const py::gil_scoped_release release;
              found = self.versions();
            }
            py::list versions;
            for (const auto& v : found)
              versions.append(py::make_tuple(v.number, v.reason, v.time_ns, v.in_use));
            return versions;
          })
      .def_property_readonly("history",
                             [](const IncrementalLearner& self) {
                               std::vector<UpdateReport> found;
                               {
                                 const py::gil_scoped_release release;
                                 found = self.history();
                               }
                               py::list reports;
                               for (const auto& report : found) reports.append(to_dict(report));
                               return reports;
                             })
      .def("model_file", &IncrementalLearner::model_file)
      .def_property_readonly("offset", &IncrementalLearner::offset)
      .def_property_readonly("version", &IncrementalLearner::version)
      .def_property_readonly("n_features", &IncrementalLearner::n_features);
}

void register_drift_detectors(py::module_& module) {
  py::class_<Adwin>(module, "Adwin")
      .def(py::init<double>(), py::arg("delta"))
      .def("push", &Adwin::push, py::arg("value"))
      .def_property_readonly("mean", &Adwin::mean)
      .def_property_readonly("size", &Adwin::size)
      .def(py::pickle(
          [](const Adwin& adwin) {
            const auto& s = adwin.state();
            std::vector<std::vector<std::pair<double, double>>> levels;
            for (const auto& level : s.levels) {
              auto& buckets = levels.emplace_back();
              for (const auto& bucket : level)
                buckets.emplace_back(bucket.sum, bucket.sum_of_squares);
            }
            return py::make_tuple(s.delta, s.n_seen, levels);
          },
          [](const py::tuple& state) {
            using Levels = std::vector<std::vector<std::pair<double, double>>>;
            const auto [delta, n_seen, levels] =
                state.cast<std::tuple<double, std::uint64_t, Levels>>();
            Adwin::State s{delta, n_seen, {}};
            for (const auto& level : levels) {
              auto& buckets = s.levels.emplace_back();
              for (const auto& [sum, sum_of_squares] : level)
                buckets.push_back({sum, sum_of_squares});
            }
            return Adwin(std::move(s));
          }));
  py::class_<PageHinkley>(module, "PageHinkley")
      .def(py::init<double, double, std::int64_t>(), py::arg("tolerance"), py::arg("threshold"),
           py::arg("min_samples"))
      .def("push", &PageHinkley::push, py::arg("value"))
      .def(py::pickle(
          [](const PageHinkley& test) {
            const auto& s = test.state();
            return py::make_tuple(s.tolerance, s.threshold, s.min_samples, s.count, s.mean, s.rise,
                                  s.fall);
          },
          [](const py::tuple& state) {
            return PageHinkley(std::make_from_tuple<PageHinkley::State>(
                state.cast<std::tuple<double, double, std::int64_t, std::int64_t, double, double,
                                      double>>()));
          }));
  module.def(
      "kolmogorov_smirnov",
      [](const ContiguousArray<double>& a, const ContiguousArray<double>& b) {
        const auto first = as_span(a);
        const auto second = as_span(b);
        const py::gil_scoped_release release;
        const auto test = secondlook::kolmogorov_smirnov(first, second);
        return std::pair(test.statistic, test.p_value);
      },
      py::arg("a"), py::arg("b"));
}

}  // namespace

void register_learn(py::module_& module) {
  auto learn = module.def_submodule("learn");
  register_incremental_learner(learn);
  register_drift_detectors(learn);
}
