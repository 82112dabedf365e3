#include "secondlook/series/resample.hpp"

#include <cstdint>
#include <utility>
#include <vector>

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Aggregate;
using secondlook::Matrix;
using secondlook::TimeGrid;

namespace {

py::array_t<double> resample(const ContiguousArray<std::int64_t>& time_ns,
                             const ContiguousArray<double>& values, std::int64_t start_ns,
                             std::int64_t step_ns, std::size_t n_steps, const py::object& how,
                             int n_jobs) {
  const auto rows = as_matrix(values);
  const auto times = as_span(time_ns);
  Aggregate aggregate{};
  from_python("resample: how", how, aggregate);
  Matrix<double> result;
  {
    const py::gil_scoped_release release;
    result = secondlook::resample(times, rows, {start_ns, step_ns, n_steps}, aggregate, n_jobs);
  }
  return to_array(std::move(result));
}

py::tuple grid_over(const ContiguousArray<std::int64_t>& time_ns, std::int64_t step_ns) {
  const TimeGrid grid = secondlook::grid_over(as_span(time_ns), step_ns);
  return py::make_tuple(grid.start_ns, grid.n_steps);
}

// Grids are (start_ns, n_steps).
py::tuple common_grid(const std::vector<std::pair<std::int64_t, std::size_t>>& grids,
                      std::int64_t step_ns, const py::object& span) {
  secondlook::Span which{};
  from_python("align: span", span, which);
  std::vector<TimeGrid> of_tables;
  for (const auto& [start_ns, n_steps] : grids) of_tables.push_back({start_ns, step_ns, n_steps});
  const TimeGrid grid = secondlook::common_grid(of_tables, which);
  return py::make_tuple(grid.start_ns, grid.n_steps);
}

}  // namespace

void register_resample(py::module_& series) {
  series.def("grid_over", &grid_over, py::arg("time_ns"), py::arg("step_ns"));
  series.def("common_grid", &common_grid, py::arg("grids"), py::arg("step_ns"), py::arg("span"));
  series.def("resample", &resample, py::arg("time_ns"), py::arg("values"), py::arg("start_ns"),
             py::arg("step_ns"), py::arg("n_steps"), py::arg("how"), py::arg("n_jobs"));
}
