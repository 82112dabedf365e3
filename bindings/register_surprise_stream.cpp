#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "register.hpp"
#include "secondlook/detect/surprise_stream.hpp"
#include "tail_surprise_state.hpp"

namespace py = pybind11;
using secondlook::SurpriseRecord;
using secondlook::SurpriseStream;

namespace {

using Scales = std::vector<std::int64_t>;
using Values = ContiguousArray<double>;

py::dict to_columns(const std::vector<SurpriseRecord>& records) {
  py::dict columns;
  const auto add = [&](const char* name, auto field) { columns[name] = to_column(records, field); };
  add("surprise", &SurpriseRecord::surprise);
  add("score", &SurpriseRecord::score);
  add("alarm", &SurpriseRecord::alarm);
  add("level", &SurpriseRecord::level);
  add("spread", &SurpriseRecord::spread);
  add("habit", &SurpriseRecord::habit);
  add("shape", &SurpriseRecord::shape);
  return columns;
}

py::tuple pack_stream(const SurpriseStream& stream) {
  const auto& p = stream.parameters();
  auto s = stream.state();
  py::list tails;
  for (const auto& tail : s.tails) tails.append(pack(tail));
  py::list rings;
  for (auto* ring :
       {&s.samples, &s.times, &s.window, &s.memory, &s.outside, &s.recent, &s.lows, &s.highs})
    rings.append(to_array(std::move(*ring)));
  return py::make_tuple(
      py::make_tuple(p.season, p.scales, p.memory, p.seasons, p.threshold, p.rest),
      py::make_tuple(s.time, s.resting_until, s.count, s.start), rings, tails);
}

SurpriseStream unpack_stream(const py::tuple& packed) {
  using Parameters =
      std::tuple<std::int64_t, Scales, std::int64_t, std::int64_t, double, std::int64_t>;
  const auto [parameters, counts, rings, tails] =
      packed.cast<std::tuple<Parameters, std::array<std::int64_t, 4>, std::array<Values, 8>,
                             std::vector<py::tuple>>>();
  SurpriseStream::State s;
  s.time = counts[0];
  s.resting_until = counts[1];
  s.count = counts[2];
  s.start = counts[3];
  std::size_t i = 0;
  for (auto* ring :
       {&s.samples, &s.times, &s.window, &s.memory, &s.outside, &s.recent, &s.lows, &s.highs})
    *ring = to_vector(rings[i++]);
  for (const auto& tail : tails) s.tails.push_back(unpack_tail(tail));
  return {std::make_from_tuple<secondlook::SurpriseStreamParameters>(parameters), s};
}

}  // namespace

void register_surprise_stream(py::module_& detect) {
  py::class_<SurpriseStream>(detect, "SurpriseStream")
      .def(py::init([](std::int64_t season, const Scales& scales, std::int64_t memory,
                       std::int64_t seasons, double threshold, std::int64_t rest) {
             return SurpriseStream({season, scales, memory, seasons, threshold, rest});
           }),
           py::kw_only(), py::arg("season"), py::arg("scales"), py::arg("memory"),
           py::arg("seasons"), py::arg("threshold"), py::arg("rest"))
      .def(
          "push",
          [](SurpriseStream& stream, double sample) {
            const SurpriseRecord r = stream.push(sample);
            return std::make_tuple(r.surprise, r.score, r.alarm, r.level, r.spread, r.habit,
                                   r.shape);
          },
          py::arg("sample"))
      .def(
          "push_many",
          [](SurpriseStream& stream, const Values& samples, const py::object& callback) {
            const auto progress = make_progress(callback);
            const auto values = as_span(samples);
            std::vector<SurpriseRecord> records;
            {
              const py::gil_scoped_release release;
              records = stream.push(values, progress);
            }
            return to_columns(records);
          },
          py::arg("samples"), py::arg("progress"))
      .def_property_readonly("time", &SurpriseStream::time)
      .def(py::pickle([](const SurpriseStream& stream) { return pack_stream(stream); },
                      [](const py::tuple& packed) { return unpack_stream(packed); }));
}
