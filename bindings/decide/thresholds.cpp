#include "fields.hpp"
#include "register.hpp"
#include "secondlook/decide/quantile_threshold.hpp"
#include "secondlook/decide/seasonal_threshold.hpp"

namespace py = pybind11;
using secondlook::SeasonalThreshold;
using secondlook::SeasonalThresholdParameters;

void register_thresholds(py::module_& decide) {
  decide.def(
      "quantile_threshold",
      [](const ContiguousArray<double>& scores, double false_alarm_rate,
         std::optional<double> confidence) {
        const auto values = as_span(scores);
        const py::gil_scoped_release release;
        return secondlook::quantile_threshold(values, false_alarm_rate, confidence);
      },
      py::arg("scores"), py::arg("false_alarm_rate"), py::arg("confidence"));
  decide.def(
      "seasonal_threshold",
      [](const ContiguousArray<double>& scores, const ContiguousArray<std::int64_t>& seasons,
         const py::kwargs& arguments) {
        const SeasonalThreshold fitted(
            as_span(scores), as_span(seasons),
            from_dict<SeasonalThresholdParameters>("SeasonalThreshold", arguments));
        return py::make_tuple(fitted.common_threshold(), to_array(std::vector(fitted.thresholds())),
                              to_array(std::vector(fitted.counts())));
      },
      py::arg("scores"), py::arg("seasons"));
  decide.def(
      "hours_of_day",
      [](const ContiguousArray<std::int64_t>& time_ns, int utc_offset_minutes) {
        return to_array(secondlook::hours_of_day(as_span(time_ns), utc_offset_minutes));
      },
      py::arg("time_ns"), py::arg("utc_offset_minutes"));
}
