#include "secondlook/detect/peer_deviation.hpp"

#include "detect/rows.hpp"
#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::PeerDeviation;
using secondlook::PeerDeviationParameters;
using secondlook::PeerDeviationStream;
using secondlook::PeerVerdict;

namespace {

py::object judge(const PeerDeviation& detector, py::handle x,
                 const std::optional<ContiguousArray<std::uint8_t>>& active,
                 const py::object& callback) {
  return with_samples(x, 0, [&](auto readings) -> py::object {
    const auto progress = make_progress(callback);
    const auto where = active ? as_span(*active) : std::span<const std::uint8_t>();
    std::vector<PeerVerdict> verdicts;
    {
      const py::gil_scoped_release release;
      verdicts = detector.judge(readings, where, progress);
    }
    return to_columns(verdicts);
  });
}

py::object bands(const PeerDeviation& detector, py::handle x) {
  return with_samples(x, 0, [&](auto readings) -> py::object {
    py::array_t<double> values({readings.rows(), py::ssize_t{2}});
    std::vector<secondlook::PeerBand> found;
    {
      const py::gil_scoped_release release;
      found = detector.bands(readings);
    }
    auto view = values.mutable_unchecked<2>();
    for (std::size_t i = 0; i < found.size(); ++i) {
      view(static_cast<py::ssize_t>(i), 0) = found[i].centre;
      view(static_cast<py::ssize_t>(i), 1) = found[i].half_width;
    }
    return values;
  });
}

}  // namespace

void register_peer_deviation(py::module_& detect) {
  py::class_<PeerDeviation>(detect, "PeerDeviation")
      .def(init_from_fields<PeerDeviation, PeerDeviationParameters>("PeerDeviation"))
      .def("judge", &judge, py::arg("x"), py::arg("active"), py::arg("progress"))
      .def("bands", &bands, py::arg("x"));
  py::class_<PeerDeviationStream>(detect, "PeerDeviationStream")
      .def(py::init<const PeerDeviation&, std::size_t>(), py::arg("detector"), py::arg("n_sensors"))
      .def(
          "push",
          [](PeerDeviationStream& stream, const ContiguousArray<double>& readings, bool active) {
            const auto band = stream.push(as_span(readings), active);
            const auto deviating = stream.deviating();
            return py::make_tuple(
                band.centre, band.half_width,
                to_array(std::vector<std::int64_t>(deviating.begin(), deviating.end())));
          },
          py::arg("readings"), py::arg("active"))
      .def("verdicts",
           [](const PeerDeviationStream& stream) { return to_columns(stream.verdicts()); })
      .def_property_readonly("n_samples", &PeerDeviationStream::n_samples);
  detect.def(
      "plant_states",
      [](const ContiguousArray<double>& current, double threshold) {
        const auto states = secondlook::plant_states(as_span(current), threshold);
        std::vector<std::uint8_t> values(states.size());
        for (std::size_t i = 0; i < states.size(); ++i)
          values[i] = static_cast<std::uint8_t>(states[i]);
        return to_array(std::move(values));
      },
      py::arg("current"), py::arg("threshold"));
}
