#include "secondlook/decide/mixture_drift.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::MixtureDrift;

void register_mixture_drift(py::module_& decide) {
  constexpr const char* who = "MixtureDrift";
  py::class_<MixtureDrift>(decide, who)
      .def(py::init([](const ContiguousArray<double>& scores,
                       const ContiguousArray<std::uint8_t>& labels) {
             return MixtureDrift(as_span(scores), as_span(labels));
           }),
           py::arg("scores"), py::arg("labels"))
      .def(
          "p_value",
          [](const MixtureDrift& test, const ContiguousArray<double>& scores, bool any_mixture) {
            const auto values = as_span(scores);
            const py::gil_scoped_release release;
            return test.p_value(values, any_mixture);
          },
          py::arg("scores"), py::arg("any_mixture"))
      .def(py::pickle(
          [](const MixtureDrift& test) {
            return py::dict(py::arg("normal") = to_dict(test.normal()),
                            py::arg("abnormal") = to_dict(test.abnormal()));
          },
          [](const py::dict& state) {
            const auto scores_of = [&](const char* name) {
              return from_dict<MixtureDrift::ScoresOfClass>(who, state[name]);
            };
            return MixtureDrift(scores_of("normal"), scores_of("abnormal"));
          }));
}
