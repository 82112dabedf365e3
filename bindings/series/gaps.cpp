#include "secondlook/series/gaps.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "arrays.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Matrix;

namespace {

py::tuple interpolate(const ContiguousArray<std::int64_t>& time_ns,
                      const ContiguousArray<double>& values, std::int64_t limit_ns) {
  static_cast<void>(as_matrix(values));
  const auto times = as_span(time_ns);
  Matrix<double> filled;
  Matrix<std::uint8_t> codes;
  {
    const py::gil_scoped_release release;
    filled = to_matrix(values);
    const auto origins = secondlook::interpolate(times, filled, limit_ns);
    codes.resize(origins.rows(), origins.cols());
    std::ranges::transform(origins.values(), codes.values().begin(),
                           [](auto origin) { return static_cast<std::uint8_t>(origin); });
  }
  return py::make_tuple(to_array(std::move(filled)), to_array(std::move(codes)));
}

}  // namespace

void register_gaps(py::module_& series) {
  series.def("interpolate", &interpolate, py::arg("time_ns"), py::arg("values"),
             py::arg("limit_ns"));
}
