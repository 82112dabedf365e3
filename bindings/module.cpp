#include "register.hpp"

namespace {

// So that `secondlook._core.detect` can be imported by its full name, as pickle and stubtest do.
void publish_submodules(const pybind11::module_& module) {
  const pybind11::dict loaded = pybind11::module_::import("sys").attr("modules");
  for (const auto& [name, value] : module.attr("__dict__").cast<pybind11::dict>())
    if (pybind11::isinstance<pybind11::module_>(value)) loaded[value.attr("__name__")] = value;
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  register_core(module);

  auto store = module.def_submodule("store");
  register_model_file(store);

  auto series = module.def_submodule("series");
  for (const auto add :
       {register_battery_features, register_csv_reader, register_gaps, register_resample})
    add(series);

  auto decide = module.def_submodule("decide");
  for (const auto add :
       {register_anomaly_likelihood, register_calibration, register_conformal_p_values,
        register_conformal_sets, register_event_metrics, register_false_discovery,
        register_feature_distance, register_metrics, register_mixture_drift,
        register_peaks_over_threshold, register_running_quantile, register_suspicious_band,
        register_tail_surprise, register_thresholds, register_tune_threshold})
    add(decide);
  register_decision_rule(decide);  // its signatures name the classes above

  auto detect = module.def_submodule("detect");
  register_detector(detect);  // the base of others
  for (const auto add : {register_autoencoder, register_detector_ensemble, register_detector_stream,
                         register_isolation_forest, register_lstm_forecaster,
                         register_peer_deviation, register_surprise_stream})
    add(detect);

  auto learn = module.def_submodule("learn");
  register_drift_detectors(learn);
  register_incremental_learner(learn);

  publish_submodules(module);
}
