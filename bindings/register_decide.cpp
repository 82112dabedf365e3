#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "pickling.hpp"
#include "register.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/decide/anomaly_likelihood.hpp"
#include "secondlook/decide/conformal_p_values.hpp"
#include "secondlook/decide/event_metrics.hpp"
#include "secondlook/decide/false_discovery.hpp"
#include "secondlook/decide/peaks_over_threshold.hpp"
#include "secondlook/decide/quantile_threshold.hpp"
#include "secondlook/decide/running_quantile.hpp"
#include "secondlook/decide/seasonal_threshold.hpp"
#include "secondlook/decide/tail_surprise.hpp"
#include "tail_surprise_state.hpp"

namespace py = pybind11;
using secondlook::AnomalyLikelihood;
using secondlook::AnomalyLikelihoodParameters;
using secondlook::ConformalPValues;
using secondlook::EventMetrics;
using secondlook::PeaksOverThreshold;
using secondlook::PeaksOverThresholdParameters;
using secondlook::RunningQuantile;
using secondlook::SeasonalThreshold;
using secondlook::TailSurprise;
using secondlook::TailSurpriseParameters;
using secondlook::TimeWindow;

namespace {

void register_running_quantile(py::module_& module) {
  py::class_<RunningQuantile>(module, "RunningQuantile")
      .def(py::init<double>(), py::arg("probability"))
      .def("push", &RunningQuantile::push, py::arg("sample"))
      .def_property_readonly("value", &RunningQuantile::value)
      .def_property_readonly("count", [](const RunningQuantile& q) { return q.state().count; })
      .def(py::pickle(
          [](const RunningQuantile& quantile) {
            const auto& s = quantile.state();
            return py::make_tuple(s.probability, s.count, s.heights, s.positions);
          },
          [](const py::tuple& state) {
            using Markers = std::array<double, 5>;
            const auto [probability, count, heights, positions] =
                unpacked<double, std::int64_t, Markers, Markers>(state);
            return RunningQuantile(RunningQuantile::State{probability, count, heights, positions});
          }));
}

void register_anomaly_likelihood(py::module_& module) {
  py::class_<AnomalyLikelihood>(module, "AnomalyLikelihood")
      .def(py::init([](std::int64_t short_window, std::int64_t long_window, std::int64_t warm_up,
                       double floor) {
             return AnomalyLikelihood({short_window, long_window, warm_up, floor});
           }),
           py::kw_only(), py::arg("short_window"), py::arg("long_window"), py::arg("warm_up"),
           py::arg("floor"))
      .def("push", &AnomalyLikelihood::push, py::arg("score"))
      .def_property_readonly("tail_probability", &AnomalyLikelihood::tail_probability)
      .def_property_readonly("count", [](const AnomalyLikelihood& l) { return l.state().count; })
      .def(py::pickle(
          [](const AnomalyLikelihood& likelihood) {
            const auto& p = likelihood.parameters();
            const auto& s = likelihood.state();
            return py::make_tuple(p.short_window, p.long_window, p.warm_up, p.floor, s.count,
                                  s.short_mean, s.long_mean, s.long_variance);
          },
          [](const py::tuple& state) {
            const auto [short_window, long_window, warm_up, floor, count, short_mean, long_mean,
                        long_variance] = unpacked<std::int64_t, std::int64_t, std::int64_t, double,
                                                  std::int64_t, double, double, double>(state);
            return AnomalyLikelihood({short_window, long_window, warm_up, floor},
                                     {count, short_mean, long_mean, long_variance});
          }));
}

void register_tail_surprise(py::module_& module) {
  py::class_<TailSurprise>(module, "TailSurprise")
      .def(py::init([](bool two_sided, std::int64_t largest, double shape, std::int64_t warm_up,
                       std::int64_t block) {
             return TailSurprise({two_sided, largest, shape, warm_up, block});
           }),
           py::kw_only(), py::arg("two_sided"), py::arg("largest"), py::arg("shape"),
           py::arg("warm_up"), py::arg("block"))
      .def("push", py::overload_cast<double>(&TailSurprise::push), py::arg("value"))
      .def(
          "push_many",
          [](TailSurprise& tail, const ContiguousArray<double>& values) {
            return to_array(tail.push(as_span(values)));
          },
          py::arg("values"))
      .def_property_readonly("count", [](const TailSurprise& t) { return t.state().count; })
      .def(py::pickle(
          [](const TailSurprise& tail) {
            const auto& p = tail.parameters();
            return py::make_tuple(p.two_sided, p.largest, p.shape, p.warm_up, p.block,
                                  pack(tail.state()));
          },
          [](const py::tuple& packed) {
            const auto [two_sided, largest, shape, warm_up, block, state] =
                unpacked<bool, std::int64_t, double, std::int64_t, std::int64_t, py::tuple>(packed);
            return TailSurprise({two_sided, largest, shape, warm_up, block}, unpack_tail(state));
          }));
}

std::vector<std::pair<double, bool>> peaks_of(const PeaksOverThreshold& tail) {
  std::vector<std::pair<double, bool>> peaks;
  for (const auto& peak : tail.state().peaks) peaks.emplace_back(peak.excess, peak.censored);
  return peaks;
}

void register_peaks_over_threshold(py::module_& module) {
  py::class_<PeaksOverThreshold>(module, "PeaksOverThreshold")
      .def(py::init([](const ContiguousArray<double>& scores, double risk, double level,
                       std::int64_t max_peaks, std::int64_t drift_window) {
             const auto values = as_span(scores);
             const py::gil_scoped_release release;
             return PeaksOverThreshold(values, {risk, level, max_peaks, drift_window});
           }),
           py::arg("scores"), py::kw_only(), py::arg("risk"), py::arg("level"),
           py::arg("max_peaks"), py::arg("drift_window"))
      .def("update", &PeaksOverThreshold::update, py::arg("score"))
      .def_property_readonly("threshold", &PeaksOverThreshold::threshold)
      .def_property_readonly("peaks", &peaks_of)
      .def_property_readonly("statistics",
                             [](const PeaksOverThreshold& tail) {
                               const auto& s = tail.state();
                               return py::dict(
                                   py::arg("initial_threshold") = s.initial_threshold,
                                   py::arg("shape") = s.shape, py::arg("scale") = s.scale,
                                   py::arg("n_scores") = s.n_scores, py::arg("n_peaks") = s.n_peaks,
                                   py::arg("n_alarms") = s.n_alarms);
                             })
      .def(py::pickle(
          [](const PeaksOverThreshold& tail) {
            const auto& p = tail.parameters();
            const auto& s = tail.state();
            return py::make_tuple(py::make_tuple(p.risk, p.level, p.max_peaks, p.drift_window),
                                  py::make_tuple(s.initial_threshold, s.shape, s.scale,
                                                 s.tail_threshold, s.local_mean),
                                  py::make_tuple(s.n_calibration, s.n_scores, s.n_peaks, s.n_alarms,
                                                 s.n_alarms_counted),
                                  peaks_of(tail), s.oldest);
          },
          [](const py::tuple& state) {
            const auto [parameters, values, counts, peaks, oldest] =
                unpacked<std::tuple<double, double, std::int64_t, std::int64_t>,
                         std::array<double, 5>, std::array<std::int64_t, 5>,
                         std::vector<std::pair<double, bool>>, std::size_t>(state);
            PeaksOverThreshold::State s{values[0], values[1], values[2], values[3],
                                        values[4], counts[0], counts[1], counts[2],
                                        counts[3], counts[4], {},        oldest};
            for (const auto& [excess, censored] : peaks) s.peaks.push_back({excess, censored});
            return PeaksOverThreshold(
                std::move(s), std::make_from_tuple<PeaksOverThresholdParameters>(parameters));
          }));
}

void register_conformal_p_values(py::module_& module) {
  py::class_<ConformalPValues>(module, "ConformalPValues")
      .def(py::init(
               [](const ContiguousArray<double>& calibration, std::optional<double> confidence) {
                 const auto scores = as_span(calibration);
                 const py::gil_scoped_release release;
                 return ConformalPValues(scores, confidence);
               }),
           py::arg("calibration"), py::arg("confidence"))
      .def(
          "p_values",
          [](const ConformalPValues& conformal, const ContiguousArray<double>& scores) {
            const auto values = as_span(scores);
            std::vector<double> p;
            {
              const py::gil_scoped_release release;
              p = conformal.p_values(values);
            }
            return to_array(std::move(p));
          },
          py::arg("scores"))
      .def_property_readonly("n_calibration",
                             [](const ConformalPValues& c) { return c.calibration().size(); })
      .def(py::pickle(
          [](const ConformalPValues& conformal) {
            return py::make_tuple(to_array(std::vector<double>(conformal.calibration())),
                                  conformal.confidence());
          },
          [](const py::tuple& state) {
            const auto [calibration, confidence] =
                unpacked<ContiguousArray<double>, std::optional<double>>(state);
            return ConformalPValues(as_span(calibration), confidence);
          }));
}

void register_thresholds(py::module_& module) {
  module.def(
      "quantile_threshold",
      [](const ContiguousArray<double>& scores, double false_alarm_rate,
         std::optional<double> confidence) {
        const auto values = as_span(scores);
        const py::gil_scoped_release release;
        return secondlook::quantile_threshold(values, false_alarm_rate, confidence);
      },
      py::arg("scores"), py::arg("false_alarm_rate"), py::arg("confidence"));
  module.def(
      "seasonal_threshold",
      [](const ContiguousArray<double>& scores, const ContiguousArray<std::int64_t>& seasons,
         double false_alarm_rate, std::optional<double> confidence, std::int64_t n_seasons,
         std::int64_t min_scores) {
        const SeasonalThreshold fitted(as_span(scores), as_span(seasons),
                                       {false_alarm_rate, confidence, n_seasons, min_scores});
        return py::make_tuple(fitted.common_threshold(),
                              to_array(std::vector<double>(fitted.thresholds())),
                              to_array(std::vector<std::int64_t>(fitted.counts())));
      },
      py::arg("scores"), py::arg("seasons"), py::kw_only(), py::arg("false_alarm_rate"),
      py::arg("confidence"), py::arg("n_seasons"), py::arg("min_scores"));
  module.def(
      "hours_of_day",
      [](const ContiguousArray<std::int64_t>& time_ns, int utc_offset_minutes) {
        return to_array(secondlook::hours_of_day(as_span(time_ns), utc_offset_minutes));
      },
      py::arg("time_ns"), py::arg("utc_offset_minutes"));
}

void register_false_discovery(py::module_& module) {
  module.def(
      "benjamini_hochberg",
      [](const ContiguousArray<double>& p_values, double false_discovery_rate, double null_share) {
        return to_array(
            secondlook::benjamini_hochberg(as_span(p_values), false_discovery_rate, null_share));
      },
      py::arg("p_values"), py::arg("false_discovery_rate"), py::arg("null_share"));
  module.def(
      "storey_null_share",
      [](const ContiguousArray<double>& p_values, double cut) {
        return secondlook::storey_null_share(as_span(p_values), cut);
      },
      py::arg("p_values"), py::arg("cut"));
}

// `windows` has shape (n, 2): starts and ends.
py::dict event_metrics(const ContiguousArray<std::int64_t>& time_ns,
                       const ContiguousArray<std::uint8_t>& alarms,
                       const ContiguousArray<std::int64_t>& windows, std::int64_t merge_gap_ns) {
  const auto bounds = as_span(windows);
  if (bounds.size() % 2 != 0)
    throw secondlook::InvalidArgument("event_metrics: expected a start and an end a window, got " +
                                      std::to_string(bounds.size()) + " times");
  std::vector<TimeWindow> pairs(bounds.size() / 2);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {bounds[2 * i], bounds[2 * i + 1]};
  const EventMetrics m =
      secondlook::event_metrics(as_span(time_ns), as_span(alarms), pairs, merge_gap_ns);
  return py::dict(
      py::arg("n_events") = m.n_events, py::arg("n_true_events") = m.n_true_events,
      py::arg("n_windows") = m.n_windows, py::arg("n_windows_hit") = m.n_windows_hit,
      py::arg("event_precision") = m.event_precision, py::arg("event_recall") = m.event_recall,
      py::arg("event_f1") = m.event_f1, py::arg("mean_delay_s") = m.mean_delay_s,
      py::arg("median_delay_s") = m.median_delay_s, py::arg("events_per_day") = m.events_per_day,
      py::arg("false_events_per_day") = m.false_events_per_day, py::arg("precision") = m.precision,
      py::arg("recall") = m.recall, py::arg("false_alarm_rate") = m.false_alarm_rate);
}

}  // namespace

void register_decide(py::module_& module) {
  py::module_ decide = module.def_submodule("decide");
  register_running_quantile(decide);
  register_anomaly_likelihood(decide);
  register_tail_surprise(decide);
  register_peaks_over_threshold(decide);
  register_conformal_p_values(decide);
  register_thresholds(decide);
  register_false_discovery(decide);
  decide.def("event_metrics", &event_metrics, py::arg("time_ns"), py::arg("alarms"),
             py::arg("windows"), py::arg("merge_gap_ns"));
  register_metrics(decide);
  register_boundary(decide);
}
