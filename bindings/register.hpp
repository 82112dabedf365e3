#pragma once

#include <pybind11/pybind11.h>

// Each concept adds itself to the submodule of its component: `_core.store`, `_core.series`, …
void register_core(pybind11::module_& module);
void register_model_file(pybind11::module_& store);

void register_battery_features(pybind11::module_& series);
void register_csv_reader(pybind11::module_& series);
void register_gaps(pybind11::module_& series);
void register_resample(pybind11::module_& series);

void register_anomaly_likelihood(pybind11::module_& decide);
void register_calibration(pybind11::module_& decide);
void register_conformal_p_values(pybind11::module_& decide);
void register_conformal_sets(pybind11::module_& decide);
void register_decision_rule(pybind11::module_& decide);
void register_event_metrics(pybind11::module_& decide);
void register_false_discovery(pybind11::module_& decide);
void register_feature_distance(pybind11::module_& decide);
void register_metrics(pybind11::module_& decide);
void register_mixture_drift(pybind11::module_& decide);
void register_peaks_over_threshold(pybind11::module_& decide);
void register_running_quantile(pybind11::module_& decide);
void register_suspicious_band(pybind11::module_& decide);
void register_tail_surprise(pybind11::module_& decide);
void register_thresholds(pybind11::module_& decide);
void register_tune_threshold(pybind11::module_& decide);

void register_detector(pybind11::module_& detect);
void register_detector_stream(pybind11::module_& detect);
void register_autoencoder(pybind11::module_& detect);
void register_detector_ensemble(pybind11::module_& detect);
void register_isolation_forest(pybind11::module_& detect);
void register_lstm_forecaster(pybind11::module_& detect);
void register_peer_deviation(pybind11::module_& detect);
void register_surprise_stream(pybind11::module_& detect);

void register_drift_detectors(pybind11::module_& learn);
void register_incremental_learner(pybind11::module_& learn);

void register_images(pybind11::module_& module);
void register_image_classifier(pybind11::module_& module);
