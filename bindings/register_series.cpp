#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/series/battery_features.hpp"
#include "secondlook/series/csv_reader.hpp"
#include "secondlook/series/gaps.hpp"
#include "secondlook/series/resample.hpp"

namespace py = pybind11;
using secondlook::Aggregate;
using secondlook::BatteryFeatures;
using secondlook::CsvContents;
using secondlook::CsvOptions;
using secondlook::Matrix;
using secondlook::TimeGrid;

namespace {

secondlook::MatrixView<double> as_matrix(const ContiguousArray<double>& array) {
  if (array.ndim() != 2)
    throw secondlook::InvalidArgument("expected values of 2 dimensions, got " +
                                      std::to_string(array.ndim()));
  return {array.data(), array.shape(0), array.shape(1)};
}

py::dict to_dict(CsvContents&& contents) {
  py::list problems;
  for (const auto& problem : contents.problems)
    problems.append(py::make_tuple(problem.file, problem.line, problem.column, problem.message));
  py::dict result;
  result["time_ns"] = to_array(std::move(contents.table.time_ns));
  result["is_utc"] = contents.table.is_utc;
  result["columns"] = std::move(contents.table.columns);
  result["values"] = to_array(std::move(contents.table.values));
  result["problems"] = problems;
  result["n_problems"] = contents.n_problems;
  result["n_lines"] = contents.n_lines;
  result["n_repeated_times"] = contents.n_repeated_times;
  result["n_repeated_in_file"] = contents.n_repeated_in_file;
  result["n_contradictory_times"] = contents.n_contradictory_times;
  result["n_out_of_order"] = contents.n_out_of_order;
  result["n_spread_times"] = contents.n_spread_times;
  return result;
}

secondlook::CsvEncoding to_encoding(std::string_view name) {
  using enum secondlook::CsvEncoding;
  if (name == "utf-8") return utf8;
  if (name == "latin-1") return latin1;
  if (name == "utf-16") return utf16;
  if (name == "utf-16-le") return utf16_le;
  if (name == "utf-16-be") return utf16_be;
  return automatic;
}

std::optional<char> to_character(const std::optional<std::string>& text, const char* what) {
  if (text && text->size() != 1)
    throw secondlook::InvalidArgument(std::string("read_csv: expected ") + what +
                                      " of one byte, got '" + *text + "'");
  return text ? std::optional(text->front()) : std::nullopt;
}

// A source is a name, and bytes or None for the file of this name.
using Source = std::pair<std::filesystem::path, std::optional<py::bytes>>;

py::dict read_csv(const std::vector<Source>& given, std::string time_column,
                  std::string time_of_day_column, std::string millisecond_column,
                  std::vector<std::string> columns, const std::optional<std::string>& delimiter,
                  const std::optional<std::string>& decimal, std::optional<std::size_t> header_line,
                  std::string_view encoding,
                  const std::vector<std::pair<std::int64_t, std::int64_t>>& clock,
                  std::string clock_name, bool strict, int n_jobs, const py::object& progress) {
  CsvOptions options;
  options.time_column = std::move(time_column);
  options.time_of_day_column = std::move(time_of_day_column);
  options.millisecond_column = std::move(millisecond_column);
  options.columns = std::move(columns);
  options.delimiter = to_character(delimiter, "a delimiter");
  options.decimal = to_character(decimal, "a decimal sign");
  options.header_line = header_line;
  options.encoding = to_encoding(encoding);
  for (const auto& [since_ns, offset_ns] : clock) options.clock.push_back({since_ns, offset_ns});
  options.clock_name = std::move(clock_name);
  options.strict = strict;
  std::vector<secondlook::CsvSource> sources;
  for (const auto& [path, text] : given) {
    sources.push_back({path});
    if (text) sources.back().text = std::string_view(*text);
  }
  CsvContents contents;
  {
    const secondlook::Progress listen = make_progress(progress);
    const py::gil_scoped_release release;
    contents = secondlook::read_csv(sources, options, n_jobs, listen);
  }
  return to_dict(std::move(contents));
}

Aggregate to_aggregate(std::string_view name) {
  if (name == "mean") return Aggregate::mean;
  if (name == "last") return Aggregate::last;
  throw secondlook::InvalidArgument("resample: expected how to be 'mean' or 'last', got '" +
                                    std::string(name) + "'");
}

py::array_t<double> resample(const ContiguousArray<std::int64_t>& time_ns,
                             const ContiguousArray<double>& values, std::int64_t start_ns,
                             std::int64_t step_ns, std::size_t n_steps, std::string_view how,
                             int n_jobs) {
  const auto rows = as_matrix(values);
  const auto times = as_span(time_ns);
  const Aggregate aggregate = to_aggregate(how);
  Matrix<double> result;
  {
    const py::gil_scoped_release release;
    result = secondlook::resample(times, rows, {start_ns, step_ns, n_steps}, aggregate, n_jobs);
  }
  return to_array(std::move(result));
}

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

py::tuple grid_over(const ContiguousArray<std::int64_t>& time_ns, std::int64_t step_ns) {
  const TimeGrid grid = secondlook::grid_over(as_span(time_ns), step_ns);
  return py::make_tuple(grid.start_ns, grid.n_steps);
}

py::array_t<double> push_many(BatteryFeatures& self, const ContiguousArray<std::int64_t>& time_ns,
                              const ContiguousArray<std::int64_t>& clock_ns,
                              const ContiguousArray<double>& samples) {
  const auto rows = as_matrix(samples);
  if (rows.rows() != time_ns.size() || clock_ns.size() != time_ns.size() || rows.cols() != 3)
    throw secondlook::InvalidArgument(
        "BatteryFeatures: expected samples of shape (" + std::to_string(time_ns.size()) +
        ", 3), got (" + std::to_string(rows.rows()) + ", " + std::to_string(rows.cols()) + ")");
  constexpr auto kWidth = static_cast<py::ssize_t>(BatteryFeatures::kFeatures);
  py::array_t<double> features({static_cast<py::ssize_t>(rows.rows()), kWidth});
  const auto times = as_span(time_ns);
  const auto clock = as_span(clock_ns);
  double* out = features.mutable_data();
  const py::gil_scoped_release release;
  BatteryFeatures after = self;
  for (secondlook::Index i = 0; i < rows.rows(); ++i) {
    const std::int64_t time = times[static_cast<std::size_t>(i)];
    const std::int64_t offset = clock[static_cast<std::size_t>(i)] - time;
    after.push({time, rows(i, 0), rows(i, 1), rows(i, 2), offset},
               std::span<double, BatteryFeatures::kFeatures>(out + i * kWidth,
                                                             BatteryFeatures::kFeatures));
  }
  self = std::move(after);
  return features;
}

}  // namespace

void register_series(py::module_& module) {
  py::module_ series = module.def_submodule("series");
  series.def("read_csv", &read_csv, py::arg("sources"), py::arg("time_column"),
             py::arg("time_of_day_column"), py::arg("millisecond_column"), py::arg("columns"),
             py::arg("delimiter"), py::arg("decimal"), py::arg("header_line"), py::arg("encoding"),
             py::arg("clock"), py::arg("clock_name"), py::arg("strict"), py::arg("n_jobs"),
             py::arg("progress"));
  series.def("grid_over", &grid_over, py::arg("time_ns"), py::arg("step_ns"));
  series.def("resample", &resample, py::arg("time_ns"), py::arg("values"), py::arg("start_ns"),
             py::arg("step_ns"), py::arg("n_steps"), py::arg("how"), py::arg("n_jobs"));
  series.def("interpolate", &interpolate, py::arg("time_ns"), py::arg("values"),
             py::arg("limit_ns"));
  py::class_<BatteryFeatures>(series, "BatteryFeatures")
      .def(py::init([](std::size_t window, std::int64_t max_gap_ns) {
             return BatteryFeatures({window, max_gap_ns});
           }),
           py::kw_only(), py::arg("window"), py::arg("max_gap_ns"))
      .def("push_many", &push_many, py::arg("time_ns"), py::arg("clock_ns"), py::arg("samples"))
      .def_property_readonly_static("names",
                                    [](const py::object&) {
                                      return std::vector<std::string>(
                                          BatteryFeatures::names.begin(),
                                          BatteryFeatures::names.end());
                                    })
      .def_property_readonly("window_times",
                             [](const BatteryFeatures& self) {
                               std::vector<std::int64_t> times;
                               for (const auto& s : self.window()) times.push_back(s.time_ns);
                               return to_array(std::move(times));
                             })
      .def_property_readonly("window_samples", [](const BatteryFeatures& self) {
        std::vector<double> values;
        for (const auto& s : self.window())
          values.insert(values.end(), {s.voltage, s.current, s.temperature});
        return to_array(std::move(values), {static_cast<py::ssize_t>(self.window().size()), 3});
      });
}
