#include "secondlook/decide/tune_threshold.hpp"

#include "decide/confusion.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::ThresholdTuning;
using secondlook::TuneThresholdParameters;

void register_tune_threshold(py::module_& decide) {
  decide.def(
      "tune_threshold",
      [](const ContiguousArray<double>& scores, const ContiguousArray<std::uint8_t>& labels,
         const py::kwargs& arguments) {
        const auto values = as_span(scores);
        const auto classes = as_span(labels);
        const auto parameters = from_dict<TuneThresholdParameters>("tune_threshold", arguments);
        ThresholdTuning tuning{};
        {
          const py::gil_scoped_release release;
          tuning = tune_threshold(values, classes, parameters);
        }
        return py::make_tuple(tuning.threshold, tuning.objective, measures_of(tuning.confusion));
      },
      py::arg("scores"), py::arg("labels"));
}
