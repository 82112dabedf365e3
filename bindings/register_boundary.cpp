#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "measures.hpp"
#include "pickling.hpp"
#include "register.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/decide/calibration.hpp"
#include "secondlook/decide/decision_rule.hpp"
#include "secondlook/decide/feature_distance.hpp"
#include "secondlook/decide/mixture_drift.hpp"
#include "secondlook/decide/suspicious_band.hpp"
#include "secondlook/decide/tune_threshold.hpp"
#include "tabular_detector.hpp"

namespace py = pybind11;
using namespace secondlook;

namespace {

template <class Enum>
using Words = std::initializer_list<std::pair<const char*, Enum>>;

// What a word in Python means.
template <class Enum>
Enum named(const std::string& who, const std::string& word, Words<Enum> words) {
  std::string known;
  for (const auto& [name, value] : words) {
    if (word == name) return value;
    known += std::string(known.empty() ? "" : ", ") + "'" + name + "'";
  }
  throw InvalidArgument(who + " must be one of " + known + ", got '" + word + "'");
}

template <class Enum>
const char* name_of(Words<Enum> words, Enum value) {
  return std::ranges::find(words, value, &std::pair<const char*, Enum>::second)->first;
}

const Words<Objective> kObjectives{{"accuracy", Objective::accuracy},
                                   {"f_beta", Objective::f_beta},
                                   {"balanced_accuracy", Objective::balanced_accuracy},
                                   {"negative_cost", Objective::negative_cost}};

void register_tune_threshold(py::module_& decide) {
  py::class_<TuneThresholdParameters>(decide, "TuneThresholdParameters")
      .def(py::init([](const std::string& maximize, double beta, std::pair<double, double> costs,
                       std::optional<double> min_recall, std::optional<double> min_precision,
                       std::optional<double> min_specificity,
                       std::optional<double> floor_confidence) {
             return TuneThresholdParameters{
                 .maximize = named<Objective>("tune_threshold: maximize", maximize, kObjectives),
                 .beta = beta,
                 .miss_cost = costs.first,
                 .false_alarm_cost = costs.second,
                 .min_recall = min_recall,
                 .min_precision = min_precision,
                 .min_specificity = min_specificity,
                 .floor_confidence = floor_confidence};
           }),
           py::kw_only(), py::arg("maximize"), py::arg("beta"), py::arg("costs"),
           py::arg("min_recall"), py::arg("min_precision"), py::arg("min_specificity"),
           py::arg("floor_confidence"))
      // As the wrapper takes them.
      .def_property_readonly("arguments", [](const TuneThresholdParameters& p) {
        return py::dict(
            py::arg("maximize") = name_of(kObjectives, p.maximize), py::arg("beta") = p.beta,
            py::arg("costs") = py::make_tuple(p.miss_cost, p.false_alarm_cost),
            py::arg("min_recall") = p.min_recall, py::arg("min_precision") = p.min_precision,
            py::arg("min_specificity") = p.min_specificity,
            py::arg("floor_confidence") = p.floor_confidence);
      });
  decide.def(
      "tune_threshold",
      [](const ContiguousArray<double>& scores, const ContiguousArray<std::uint8_t>& labels,
         const TuneThresholdParameters& parameters) {
        const auto values = as_span(scores);
        const auto classes = as_span(labels);
        ThresholdTuning tuning{};
        {
          const py::gil_scoped_release release;
          tuning = tune_threshold(values, classes, parameters);
        }
        return py::make_tuple(tuning.threshold, tuning.objective, to_dict(tuning.confusion));
      },
      py::arg("scores"), py::arg("labels"), py::arg("parameters"));
}

const Words<CalibrationMethod> kCalibrationMethods{{"platt", CalibrationMethod::platt},
                                                   {"isotonic", CalibrationMethod::isotonic},
                                                   {"temperature", CalibrationMethod::temperature}};

CalibrationMethod calibration_method(const std::string& name) {
  return named<CalibrationMethod>("Calibration: method", name, kCalibrationMethods);
}

void register_calibration(py::module_& decide) {
  py::class_<Calibration>(decide, "Calibration")
      .def(py::init([](const std::string& method, const ContiguousArray<double>& scores,
                       const ContiguousArray<std::uint8_t>& labels) {
             return Calibration(calibration_method(method), as_span(scores), as_span(labels));
           }),
           py::arg("method"), py::arg("scores"), py::arg("labels"))
      .def(
          "probabilities",
          [](const Calibration& calibration, const ContiguousArray<double>& scores) {
            return to_array(calibration.probabilities(as_span(scores)));
          },
          py::arg("scores"))
      .def_property_readonly(
          "method",
          [](const Calibration& c) { return name_of(kCalibrationMethods, c.state().method); })
      .def_property_readonly("slope", [](const Calibration& c) { return c.state().slope; })
      .def_property_readonly("intercept", [](const Calibration& c) { return c.state().intercept; })
      .def(py::pickle(
          [](const Calibration& calibration) {
            const auto& s = calibration.state();
            return py::make_tuple(static_cast<int>(s.method), s.slope, s.intercept, s.scores,
                                  s.probabilities);
          },
          [](const py::tuple& state) {
            auto [method, slope, intercept, corners, probabilities] =
                unpacked<int, double, double, std::vector<double>, std::vector<double>>(state);
            return Calibration(Calibration::State{static_cast<CalibrationMethod>(method), slope,
                                                  intercept, std::move(corners),
                                                  std::move(probabilities)});
          }));
  decide.def(
      "fit_temperature",
      [](const ContiguousArray<double>& logits, const ContiguousArray<std::int64_t>& labels) {
        return fit_temperature({logits.data(), logits.shape(0), logits.shape(1)}, as_span(labels));
      },
      py::arg("logits"), py::arg("labels"));
}

py::dict to_dict(const BandReport& report) {
  py::array_t<std::int64_t> counts({2, 3});
  for (py::ssize_t i = 0; i < 2; ++i)
    for (py::ssize_t j = 0; j < 3; ++j)
      counts.mutable_at(i, j) =
          report.counts[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
  return py::dict(py::arg("counts") = counts,
                  py::arg("referral_rate") = to_tuple(report.referral_rate),
                  py::arg("miss_rate") = to_tuple(report.miss_rate),
                  py::arg("false_alarm_rate") = to_tuple(report.false_alarm_rate),
                  py::arg("recall") = to_tuple(report.recall),
                  py::arg("specificity") = to_tuple(report.specificity),
                  py::arg("precision") = to_tuple(report.precision),
                  py::arg("negative_predictive_value") = to_tuple(report.negative_predictive_value),
                  py::arg("accuracy") = to_tuple(report.accuracy));
}

const Words<Among> kAmong{{"each_class", Among::each_class}, {"decided", Among::decided}};

// 0 negative, 1 refer, 2 positive.
py::array_t<std::uint8_t> to_codes(const std::vector<Decision>& decisions) {
  std::vector<std::uint8_t> codes(decisions.size());
  std::ranges::transform(decisions, codes.begin(),
                         [](Decision decision) { return static_cast<std::uint8_t>(decision); });
  return to_array(std::move(codes));
}

void register_band_parameters(py::module_& decide) {
  using Costs = std::tuple<double, double, double>;
  py::class_<SuspiciousBandParameters>(decide, "SuspiciousBandParameters")
      .def(py::init([](std::optional<double> max_miss_rate,
                       std::optional<double> max_false_alarm_rate, double confidence,
                       const std::string& among, std::vector<double> path,
                       std::optional<double> max_referral_rate, std::optional<Costs> costs,
                       std::optional<std::pair<double, double>> cut_offs, std::uint64_t seed) {
             SuspiciousBandParameters p{
                 .max_miss_rate = max_miss_rate,
                 .max_false_alarm_rate = max_false_alarm_rate,
                 .confidence = confidence,
                 .among = named<Among>("SuspiciousBand: among", among, kAmong),
                 .path = std::move(path),
                 .max_referral_rate = max_referral_rate,
                 .costs = std::nullopt,
                 .seed = seed};
             if (costs) p.costs = std::make_from_tuple<ReferralCosts>(*costs);
             if (cut_offs) p.cut_offs = std::make_from_tuple<CutOffs>(*cut_offs);
             return p;
           }),
           py::kw_only(), py::arg("max_miss_rate"), py::arg("max_false_alarm_rate"),
           py::arg("confidence"), py::arg("among"), py::arg("path"), py::arg("max_referral_rate"),
           py::arg("costs"), py::arg("cut_offs"), py::arg("seed"))
      // As the wrapper's constructor takes them.
      .def_property_readonly("arguments", [](const SuspiciousBandParameters& p) {
        py::object costs = py::none();
        py::object cut_offs = py::none();
        py::object path = py::none();
        if (p.costs) costs = py::make_tuple(p.costs->miss, p.costs->false_alarm, p.costs->referral);
        if (p.cut_offs) cut_offs = py::make_tuple(p.cut_offs->lower, p.cut_offs->upper);
        if (!p.path.empty()) path = py::cast(p.path);
        return py::dict(py::arg("max_miss_rate") = p.max_miss_rate,
                        py::arg("max_false_alarm_rate") = p.max_false_alarm_rate,
                        py::arg("confidence") = p.confidence,
                        py::arg("among") = name_of(kAmong, p.among), py::arg("path") = path,
                        py::arg("max_referral_rate") = p.max_referral_rate,
                        py::arg("costs") = costs, py::arg("cut_offs") = cut_offs,
                        py::arg("random_state") = p.seed);
      });
}

void register_band(py::module_& decide) {
  py::class_<SuspiciousBand>(decide, "SuspiciousBand")
      .def(py::init<double, double>(), py::arg("lower"), py::arg("upper"))
      .def(py::init([](const ContiguousArray<double>& scores,
                       const ContiguousArray<std::uint8_t>& labels,
                       const ContiguousArray<std::int64_t>& groups,
                       const SuspiciousBandParameters& parameters) {
             const auto values = as_span(scores);
             const auto classes = as_span(labels);
             const auto numbers = as_span(groups);
             const py::gil_scoped_release release;
             return SuspiciousBand(values, classes, parameters, numbers);
           }),
           py::arg("scores"), py::arg("labels"), py::arg("groups"), py::arg("parameters"))
      .def(
          "decide",
          [](const SuspiciousBand& band, const ContiguousArray<double>& scores) {
            return to_codes(band.decide(as_span(scores)));
          },
          py::arg("scores"))
      .def(
          "report",
          [](const SuspiciousBand& band, const ContiguousArray<double>& scores,
             const ContiguousArray<std::uint8_t>& labels, double confidence) {
            return to_dict(band.report(as_span(scores), as_span(labels), confidence));
          },
          py::arg("scores"), py::arg("labels"), py::arg("confidence"))
      .def_property_readonly("lower", &SuspiciousBand::lower)
      .def_property_readonly("upper", &SuspiciousBand::upper)
      .def_property_readonly("n_positives", &SuspiciousBand::n_positives)
      .def_property_readonly("n_negatives", &SuspiciousBand::n_negatives)
      .def_property_readonly("positives_needed", &SuspiciousBand::positives_needed)
      .def_property_readonly("negatives_needed", &SuspiciousBand::negatives_needed);
}

py::tuple pack(const MixtureDrift::ScoresOfClass& kept) {
  return py::make_tuple(kept.count, kept.quantiles);
}

MixtureDrift::ScoresOfClass unpack(const py::handle& kept) {
  const auto [count, quantiles] = kept.cast<std::pair<std::int64_t, std::vector<double>>>();
  return {count, quantiles};
}

void register_mixture_drift(py::module_& decide) {
  py::class_<MixtureDrift>(decide, "MixtureDrift")
      .def(py::init([](const ContiguousArray<double>& scores,
                       const ContiguousArray<std::uint8_t>& labels) {
             return MixtureDrift(as_span(scores), as_span(labels));
           }),
           py::arg("scores"), py::arg("labels"))
      .def(
          "p_value",
          [](const MixtureDrift& test, const ContiguousArray<double>& scores, bool any_mixture) {
            const auto values = as_span(scores);
            const py::gil_scoped_release release;
            return test.p_value(values, any_mixture);
          },
          py::arg("scores"), py::arg("any_mixture"))
      .def(py::pickle(
          [](const MixtureDrift& test) {
            return py::make_tuple(pack(test.normal()), pack(test.abnormal()));
          },
          [](const py::tuple& state) { return MixtureDrift(unpack(state[0]), unpack(state[1])); }));
}

py::array_t<double> to_rows(const Matrix<double>& matrix) {
  return py::array_t<double>({matrix.rows(), matrix.cols()}, matrix.data());
}

Matrix<double> to_matrix(const ContiguousArray<double>& rows) {
  return MatrixView<double>(rows.data(), rows.shape(0), rows.shape(1)).eigen();
}

void register_feature_distance(py::module_& decide) {
  py::class_<FeatureDistance>(decide, "FeatureDistance")
      .def(py::init([](const ContiguousArray<double>& features,
                       const ContiguousArray<double>& held_back, double false_alarm_rate,
                       const ContiguousArray<std::int64_t>& classes) {
             const auto view = [](const ContiguousArray<double>& rows) {
               return MatrixView<double>(rows.data(), rows.shape(0), rows.shape(1));
             };
             const auto [samples, others] = std::pair(view(features), view(held_back));
             const auto numbers = as_span(classes);
             const py::gil_scoped_release release;
             return FeatureDistance(samples, others, false_alarm_rate, numbers);
           }),
           py::arg("features"), py::arg("held_back"), py::arg("false_alarm_rate"),
           py::arg("classes"))
      .def(
          "distances",
          [](const FeatureDistance& fitted, const py::object& features) {
            return rows_to_array(features, 0, false, [&](auto samples, auto out) {
              std::ranges::copy(fitted.distances(samples), out.begin());
            });
          },
          py::arg("features"))
      .def_property_readonly("threshold", &FeatureDistance::threshold)
      .def_property_readonly("n_features", &FeatureDistance::n_features)
      .def_property_readonly("false_alarm_rate",
                             [](const FeatureDistance& f) { return f.state().false_alarm_rate; })
      .def(py::pickle(
          [](const FeatureDistance& fitted) {
            const auto& s = fitted.state();
            return py::make_tuple(to_rows(s.means), to_rows(s.whitening), s.threshold,
                                  s.false_alarm_rate);
          },
          [](const py::tuple& state) {
            const auto [means, whitening, threshold, rate] =
                unpacked<ContiguousArray<double>, ContiguousArray<double>, double, double>(state);
            return FeatureDistance({to_matrix(means), to_matrix(whitening), threshold, rate});
          }));
}

void register_decision_rule(py::module_& decide) {
  py::class_<DecisionRule>(decide, "DecisionRule")
      .def(py::init([](const ContiguousArray<double>& scores,
                       const ContiguousArray<std::uint8_t>& labels,
                       const ContiguousArray<std::int64_t>& groups,
                       const std::optional<std::string>& calibration,
                       std::optional<TuneThresholdParameters> threshold,
                       std::optional<SuspiciousBandParameters> band,
                       std::optional<FeatureDistance> feature_distance) {
             DecisionRuleParameters parameters{std::nullopt, threshold, std::move(band),
                                               std::move(feature_distance)};
             if (calibration) parameters.calibration = calibration_method(*calibration);
             const auto values = as_span(scores);
             const auto classes = as_span(labels);
             const auto numbers = as_span(groups);
             const py::gil_scoped_release release;
             return DecisionRule(values, classes, parameters, numbers);
           }),
           py::arg("scores"), py::arg("labels"), py::arg("groups"), py::kw_only(),
           py::arg("calibration"), py::arg("threshold"), py::arg("band"),
           py::arg("feature_distance"))
      .def_property_readonly("calibration", [](const DecisionRule& r) { return r.calibration(); })
      .def_property_readonly("threshold", &DecisionRule::threshold)
      .def_property_readonly("threshold_parameters",
                             [](const DecisionRule& r) { return r.threshold_parameters(); })
      .def_property_readonly("band", [](const DecisionRule& r) { return r.band(); })
      .def_property_readonly("band_parameters",
                             [](const DecisionRule& r) { return r.band_parameters(); })
      .def_property_readonly("feature_distance",
                             [](const DecisionRule& r) { return r.feature_distance(); })
      .def_property_readonly("drift", [](const DecisionRule& r) { return r.drift(); })
      .def_property_readonly("n_positives", &DecisionRule::n_positives)
      .def_property_readonly("n_negatives", &DecisionRule::n_negatives)
      .def_property_readonly("fingerprint", &DecisionRule::fingerprint)
      .def_property_readonly("stale", &DecisionRule::is_stale)
      .def("mark_stale", &DecisionRule::mark_stale)
      .def("forget_model", &DecisionRule::forget_model)
      .def("compare_with", &DecisionRule::compare_with, py::arg("file"))
      .def("write_to", &DecisionRule::write_to, py::arg("file"))
      .def_static("read_from", &DecisionRule::read_from, py::arg("file"))
      .def(py::pickle(
          [](const DecisionRule& rule) {
            return py::make_tuple(rule.to_json(), rule.feature_distance());
          },
          [](const py::tuple& state) {
            auto [json, distance] = unpacked<std::string, std::optional<FeatureDistance>>(state);
            return DecisionRule::from_json(json, std::move(distance));
          }));
}

}  // namespace

void register_boundary(py::module_& decide) {
  register_tune_threshold(decide);
  register_calibration(decide);
  register_band_parameters(decide);
  register_band(decide);
  register_mixture_drift(decide);
  register_feature_distance(decide);
  register_decision_rule(decide);
}
