#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cmath>

#include "arrays.hpp"
#include "measures.hpp"
#include "register.hpp"
#include "secondlook/decide/binary_metrics.hpp"
#include "secondlook/decide/ranking_curves.hpp"

namespace py = pybind11;
using namespace secondlook;

namespace {

py::dict binary_metrics_of(const ContiguousArray<double>& scores,
                           const ContiguousArray<std::uint8_t>& labels, double threshold,
                           double beta, double confidence, std::int64_t n_bootstrap,
                           std::uint64_t seed, int n_jobs) {
  BinaryMetrics m;
  {
    const auto values = as_span(scores);
    const auto classes = as_span(labels);
    const Progress progress = make_progress(py::none());
    const py::gil_scoped_release release;
    m = binary_metrics(values, classes,
                       {.threshold = threshold,
                        .beta = beta,
                        .confidence = confidence,
                        .n_bootstrap = n_bootstrap,
                        .seed = seed,
                        .n_jobs = n_jobs},
                       progress);
  }
  return py::dict(
      py::arg("confusion") = to_dict(m.confusion), py::arg("accuracy") = to_tuple(m.accuracy),
      py::arg("recall") = to_tuple(m.recall), py::arg("precision") = to_tuple(m.precision),
      py::arg("specificity") = to_tuple(m.specificity), py::arg("f_beta") = to_tuple(m.f_beta),
      py::arg("balanced_accuracy") = to_tuple(m.balanced_accuracy),
      py::arg("matthews") = to_tuple(m.matthews), py::arg("roc_auc") = to_tuple(m.roc_auc),
      py::arg("average_precision") = to_tuple(m.average_precision),
      py::arg("brier") = to_tuple(m.brier),
      py::arg("expected_calibration_error") = to_tuple(m.expected_calibration_error));
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
        return to_dict(confusion_matrix(as_span(scores), as_span(labels), threshold));
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
  decide.def("binary_metrics", &binary_metrics_of, py::arg("scores"), py::arg("labels"),
             py::kw_only(), py::arg("threshold"), py::arg("beta"), py::arg("confidence"),
             py::arg("n_bootstrap"), py::arg("seed"), py::arg("n_jobs"));
}
