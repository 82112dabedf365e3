#include "secondlook/detect/surprise_stream.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::SurpriseRecord;
using secondlook::SurpriseStream;
using secondlook::SurpriseStreamParameters;

void register_surprise_stream(py::module_& detect) {
  constexpr const char* who = "SurpriseStream";
  py::class_<SurpriseStream>(detect, who)
      .def(init_from_fields<SurpriseStream, SurpriseStreamParameters>(who))
      .def(
          "push",
          [](SurpriseStream& stream, double sample) { return to_dict(stream.push(sample)); },
          py::arg("sample"))
      .def(
          "push_many",
          [](SurpriseStream& stream, const ContiguousArray<double>& samples,
             const py::object& callback) {
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
      .def(pickled_parameters_and_state<SurpriseStream, SurpriseStreamParameters>(who));
}
