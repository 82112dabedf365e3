#include "secondlook/detect/detector_stream.hpp"

#include <memory>
#include <string>
#include <utility>

#include "fields.hpp"
#include "register.hpp"

namespace py = pybind11;
using secondlook::Detector;
using secondlook::DetectorStream;

namespace {

// A sample is a one-dimensional array (read without a copy if it is float32 or float64) or a single
// number. Anything else is converted.
template <class Use>
auto with_sample(py::handle sample, const Use& use) {
  const auto use_as = [&]<class Scalar>(const Scalar* values, py::ssize_t n) {
    return use(secondlook::MatrixView<Scalar>(values, 1, n));
  };
  const auto use_array = [&](const auto& array) {
    if (array.ndim() > 1)
      throw secondlook::InvalidArgument("expected a sample of one dimension, got " +
                                        std::to_string(array.ndim()));
    return use_as(array.data(), array.size());
  };
  if (ContiguousArray<double>::check_(sample))
    return use_array(py::reinterpret_borrow<ContiguousArray<double>>(sample));
  if (ContiguousArray<float>::check_(sample))
    return use_array(py::reinterpret_borrow<ContiguousArray<float>>(sample));
  if (PyFloat_CheckExact(sample.ptr())) {
    const double value = PyFloat_AS_DOUBLE(sample.ptr());
    return use_as(&value, 1);
  }
  return use_array(sample.cast<py::array_t<double, py::array::c_style | py::array::forcecast>>());
}

}  // namespace

void register_detector_stream(py::module_& detect) {
  py::class_<DetectorStream>(detect, "DetectorStream")
      .def(py::init([](std::shared_ptr<Detector> detector, const py::dict& parameters,
                       const py::object& state) {
             constexpr const char* who = "DetectorStream";
             const auto chosen =
                 from_dict<secondlook::AnomalyLikelihoodParameters>(who, parameters);
             if (state.is_none()) return DetectorStream(std::move(detector), chosen);
             return DetectorStream(std::move(detector), chosen,
                                   from_dict<DetectorStream::State>(who, py::dict(state)));
           }),
           py::arg("detector"), py::arg("parameters"), py::arg("state"))
      // (score, verdict, tail_probability, reasons); a reason is (feature, name, fraction).
      .def(
          "push",
          [](DetectorStream& self, py::handle sample) {
            return to_python(with_sample(sample, [&](auto view) { return self.push(view); }));
          },
          py::arg("sample"))
      .def_property_readonly("state",
                             [](const DetectorStream& self) { return to_dict(self.state()); });
}
