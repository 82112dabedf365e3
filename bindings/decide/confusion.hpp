#pragma once

#include <pybind11/pybind11.h>

#include "secondlook/decide/confusion_matrix.hpp"

/// The counts and the measures derived from them.
inline pybind11::dict measures_of(const secondlook::ConfusionMatrix& counts) {
  using pybind11::arg;
  return pybind11::dict(
      arg("true_negatives") = counts.true_negatives,
      arg("false_positives") = counts.false_positives,
      arg("false_negatives") = counts.false_negatives,
      arg("true_positives") = counts.true_positives, arg("accuracy") = counts.accuracy(),
      arg("recall") = counts.recall(), arg("specificity") = counts.specificity(),
      arg("precision") = counts.precision(), arg("f1") = counts.f_beta(),
      arg("balanced_accuracy") = counts.balanced_accuracy(), arg("matthews") = counts.matthews());
}
