#pragma once

#include <pybind11/pybind11.h>

// Each room adds its submodule: `_core.store`, `_core.series`, …
void register_core(pybind11::module_& module);
void register_store(pybind11::module_& module);
void register_decide(pybind11::module_& module);
// Part of decide's: how good scores and decisions are.
void register_metrics(pybind11::module_& decide);
// Part of decide's: cut-offs from labelled scores, the suspicious band.
void register_boundary(pybind11::module_& decide);
void register_detect(pybind11::module_& module);
// Part of detect's: what learns by gradients.
void register_neural_detectors(pybind11::module_& detect);
// Part of detect's: one series as it comes.
void register_surprise_stream(pybind11::module_& detect);
// Part of detect's: the vote.
void register_ensemble(pybind11::module_& detect);
void register_series(pybind11::module_& module);
void register_learn(pybind11::module_& module);
void register_image(pybind11::module_& module);
// Part of image's: what is trained.
void register_image_classifier(pybind11::module_& module);
