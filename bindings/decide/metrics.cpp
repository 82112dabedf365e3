#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cmath>

#include "decide/confusion.hpp"
#include "fields.hpp"
#include "register.hpp"
#include "secondlook/decide/binary_metrics.hpp"
#include "secondlook/decide/ranking_curves.hpp"

namespace py = pybind11;
using namespace secondlook;

namespace {

py::dict binary_metrics_of(const ContiguousArray<double>& scores,
                           const ContiguousArray<std::uint8_t>& labels,
                           const py::kwargs& arguments) {
  const auto parameters = from_dict<BinaryMetricsParameters>("binary_metrics", arguments);
  BinaryMetrics m;
  {
    const auto values = as_span(scores);
    const auto classes = as_span(labels);
    const Progress progress = make_progress(py::none());
    const py::gil_scoped_release release;
    m = binary_metrics(values, classes, parameters, progress);
  }
  py::dict estimates = to_dict(m);
  estimates["confusion"] = measures_of(m.confusion);
  return estimates;
}

}  // namespace

void register_metrics(py::module_& decide) {
  decide.def(
      "binomial_interval",
      [](std::int64_t n_successes, std::int64_t n_trials, double confidence) {
        const Interval interval = binomial_interval(n_successes, n_trials, confidence);
        return py::make_tuple(interval.low, interval.high);
      },
      py::arg("n_successes"), py::arg("n_trials"), py::arg("confidence"));
  decide.def(
      "confusion_matrix",
      [](const ContiguousArray<double>& scores, const ContiguousArray<std::uint8_t>& labels,
         double threshold) {
        return measures_of(confusion_matrix(as_span(scores), as_span(labels), threshold));
      },
      py::arg("scores"), py::arg("labels"), py::arg("threshold"));
  decide.def(
      "roc_curve",
      [](const ContiguousArray<double>& scores, const ContiguousArray<std::uint8_t>& labels) {
        RocCurve curve = roc_curve(as_span(scores), as_span(labels));
        return py::make_tuple(to_array(std::move(curve.thresholds)),
                              to_array(std::move(curve.false_alarm_rate)),
                              to_array(std::move(curve.recall)), curve.area);
      },
      py::arg("scores"), py::arg("labels"));
  decide.def(
      "precision_recall_curve",
      [](const ContiguousArray<double>& scores, const ContiguousArray<std::uint8_t>& labels) {
        PrecisionRecallCurve curve = precision_recall_curve(as_span(scores), as_span(labels));
        return py::make_tuple(to_array(std::move(curve.thresholds)),
                              to_array(std::move(curve.precision)),
                              to_array(std::move(curve.recall)), curve.area);
      },
      py::arg("scores"), py::arg("labels"));
  decide.def("binary_metrics", &binary_metrics_of, py::arg("scores"), py::arg("labels"));
}
