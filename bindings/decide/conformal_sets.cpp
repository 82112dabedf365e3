#include "secondlook/decide/conformal_sets.hpp"

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::ConformalSets;
using secondlook::ConformalSetsParameters;

void register_conformal_sets(py::module_& decide) {
  py::class_<ConformalSets>(decide, "ConformalSets")
      .def(py::init([](const ContiguousArray<double>& probabilities,
                       const ContiguousArray<std::int64_t>& labels,
                       const ContiguousArray<std::int64_t>& groups, const py::dict& parameters) {
             const auto rows = as_matrix(probabilities);
             const auto classes = as_span(labels);
             const auto numbers = as_span(groups);
             const auto chosen = from_dict<ConformalSetsParameters>("ConformalSets", parameters);
             const py::gil_scoped_release release;
             return ConformalSets(rows, classes, chosen, numbers);
           }),
           py::arg("probabilities"), py::arg("labels"), py::arg("groups"), py::arg("parameters"))
      .def(
          "sets",
          [](const ConformalSets& fitted, const ContiguousArray<double>& probabilities,
             const ContiguousArray<std::int64_t>& groups) {
            const auto rows = as_matrix(probabilities);
            const auto numbers = as_span(groups);
            secondlook::Matrix<std::uint8_t> sets;
            {
              const py::gil_scoped_release release;
              sets = fitted.sets(rows, numbers);
            }
            return to_array(std::move(sets));
          },
          py::arg("probabilities"), py::arg("groups"))
      .def(
          "decide",
          [](const ConformalSets& fitted, const ContiguousArray<double>& probabilities,
             const ContiguousArray<std::int64_t>& groups,
             const ContiguousArray<std::uint8_t>& out_of_distribution) {
            const auto rows = as_matrix(probabilities);
            const auto numbers = as_span(groups);
            const auto mask = as_span(out_of_distribution);
            std::vector<std::int64_t> decisions;
            {
              const py::gil_scoped_release release;
              decisions = fitted.decide(rows, numbers, mask);
            }
            return to_array(std::move(decisions));
          },
          py::arg("probabilities"), py::arg("groups"), py::arg("out_of_distribution"))
      .def(
          "report",
          [](const ConformalSets& fitted, const ContiguousArray<double>& probabilities,
             const ContiguousArray<std::int64_t>& labels,
             const ContiguousArray<std::int64_t>& groups, double confidence) {
            return to_dict(fitted.report(as_matrix(probabilities), as_span(labels), as_span(groups),
                                         confidence));
          },
          py::arg("probabilities"), py::arg("labels"), py::arg("groups"), py::arg("confidence"))
      .def_property_readonly("state", [](const ConformalSets& s) { return to_dict(s.state()); })
      .def(pickled_parameters_and_state<ConformalSets, ConformalSetsParameters>("ConformalSets"));
  decide.def("fewest_for_coverage", &secondlook::fewest_for_coverage, py::arg("alpha"));
}
