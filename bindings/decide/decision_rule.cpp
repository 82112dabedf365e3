#include "secondlook/decide/decision_rule.hpp"

#include "decide/decisions.hpp"
#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::DecisionRule;
using secondlook::DecisionRuleParameters;
using secondlook::FeatureDistance;
using secondlook::SuspiciousBandParameters;
using secondlook::TuneThresholdParameters;

namespace {

constexpr const char* kWho = "DecisionRule";

DecisionRule fit(const ContiguousArray<double>& scores, const ContiguousArray<std::uint8_t>& labels,
                 const ContiguousArray<std::int64_t>& groups, const py::object& calibration,
                 const py::object& threshold, const py::object& band,
                 const std::optional<FeatureDistance>& feature_distance) {
  DecisionRuleParameters parameters{.feature_distance = feature_distance};
  from_python("Calibration: method", calibration, parameters.calibration);
  from_python("tune_threshold", threshold, parameters.threshold);
  from_python("SuspiciousBand", band, parameters.band);
  const auto values = as_span(scores);
  const auto classes = as_span(labels);
  const auto numbers = as_span(groups);
  const py::gil_scoped_release release;
  return {values, classes, parameters, numbers};
}

// `features` is None, or an array of shape (n, d).
py::object decide_by(const DecisionRule& rule, const ContiguousArray<double>& scores,
                     const ContiguousArray<std::uint8_t>& out_of_distribution,
                     const py::object& features) {
  const auto values = as_span(scores);
  const auto marked = as_span(out_of_distribution);
  if (features.is_none()) return to_codes(rule.decide(values, marked));
  return with_samples(features, 0, [&](auto rows) -> py::object {
    return to_codes(rule.decide(values, rows, marked));
  });
}

}  // namespace

void register_decision_rule(py::module_& decide) {
  py::class_<DecisionRule>(decide, kWho)
      .def(py::init(&fit), py::arg("scores"), py::arg("labels"), py::arg("groups"), py::kw_only(),
           py::arg("calibration"), py::arg("threshold"), py::arg("band"),
           py::arg("feature_distance"))
      .def("decide", &decide_by, py::arg("scores"), py::arg("out_of_distribution"),
           py::arg("features"))
      .def(
          "drift_p_value",
          [](const DecisionRule& rule, const ContiguousArray<double>& scores) {
            const auto values = as_span(scores);
            const py::gil_scoped_release release;
            return rule.drift_p_value(values);
          },
          py::arg("scores"))
      .def_property_readonly("calibration", [](const DecisionRule& r) { return r.calibration(); })
      .def_property_readonly("threshold", &DecisionRule::threshold)
      .def_property_readonly(
          "threshold_parameters",
          [](const DecisionRule& r) { return to_python(r.threshold_parameters()); })
      .def_property_readonly("band", [](const DecisionRule& r) { return r.band(); })
      .def_property_readonly("band_parameters",
                             [](const DecisionRule& r) { return to_python(r.band_parameters()); })
      .def_property_readonly("feature_distance",
                             [](const DecisionRule& r) { return r.feature_distance(); })
      .def_property_readonly("drift", [](const DecisionRule& r) { return r.drift(); })
      .def_property_readonly("n_positives", &DecisionRule::n_positives)
      .def_property_readonly("n_negatives", &DecisionRule::n_negatives)
      .def_property_readonly("fingerprint", &DecisionRule::fingerprint)
      .def_property_readonly("stale", &DecisionRule::is_stale)
      .def("compare_with", &DecisionRule::compare_with, py::arg("file"))
      .def("write_to", &DecisionRule::write_to, py::arg("file"))
      .def_static("read_from", &DecisionRule::read_from, py::arg("file"))
      .def(py::pickle(
          [](const DecisionRule& rule) {
            return py::dict(py::arg("rule") = rule.to_json(),
                            py::arg("feature_distance") = rule.feature_distance());
          },
          [](const py::dict& state) {
            return DecisionRule::from_json(
                state["rule"].cast<std::string>(),
                state["feature_distance"].cast<std::optional<FeatureDistance>>());
          }));
}
