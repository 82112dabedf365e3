#include "secondlook/decide/event_metrics.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::TimeWindow;

namespace {

// `windows` has shape (n, 2): starts and ends.
py::dict event_metrics(const ContiguousArray<std::int64_t>& time_ns,
                       const ContiguousArray<std::uint8_t>& alarms,
                       const ContiguousArray<std::int64_t>& windows, std::int64_t merge_gap_ns) {
  const auto bounds = as_span(windows);
  if (bounds.size() % 2 != 0)
    throw secondlook::InvalidArgument(
        "event_metrics: expected a start and an end per window, got " +
        std::to_string(bounds.size()) + " times");
  std::vector<TimeWindow> pairs(bounds.size() / 2);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {bounds[2 * i], bounds[2 * i + 1]};
  return to_dict(secondlook::event_metrics(as_span(time_ns), as_span(alarms), pairs, merge_gap_ns));
}

}  // namespace

void register_event_metrics(py::module_& decide) {
  decide.def("event_metrics", &event_metrics, py::arg("time_ns"), py::arg("alarms"),
             py::arg("windows"), py::arg("merge_gap_ns"));
}
