#pragma once

#include <string_view>
#include <vector>

#include "arrays.hpp"
#include "secondlook/detect/training_epoch.hpp"

/// One row per epoch, one column per field of `TrainingEpoch`.
inline pybind11::array_t<double> history_array(
    const std::vector<secondlook::TrainingEpoch>& history) {
  std::vector<double> values;
  for (const auto& epoch : history)
    for_each_field(epoch, [&](std::string_view, double value) { values.push_back(value); });
  return to_array(std::move(values), {static_cast<pybind11::ssize_t>(history.size()), 3});
}
