#include "secondlook/series/csv_reader.hpp"

#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::CsvContents;
using secondlook::CsvOptions;

namespace {

// A source is a path, and its bytes or None to read the file at that path.
using Source = std::pair<std::filesystem::path, std::optional<py::bytes>>;

py::dict read_csv(const std::vector<Source>& given, const py::dict& options, int n_jobs,
                  const py::object& progress) {
  const auto chosen = from_dict<CsvOptions>("read_csv", options);
  std::vector<secondlook::CsvSource> sources;
  for (const auto& [path, text] : given) {
    sources.push_back({path});
    if (text) sources.back().text = std::string_view(*text);
  }
  CsvContents contents;
  {
    const secondlook::Progress listen = make_progress(progress);
    const py::gil_scoped_release release;
    contents = secondlook::read_csv(sources, chosen, n_jobs, listen);
  }
  py::dict result = to_dict(contents);
  result["time_ns"] = to_array(std::move(contents.table.time_ns));
  result["is_utc"] = contents.table.is_utc;
  result["columns"] = std::move(contents.table.columns);
  result["values"] = to_array(std::move(contents.table.values));
  return result;
}

}  // namespace

void register_csv_reader(py::module_& series) {
  series.def("read_csv", &read_csv, py::arg("sources"), py::arg("options"), py::arg("n_jobs"),
             py::arg("progress"));
}
