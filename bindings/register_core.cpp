#include <pybind11/pybind11.h>

#include <string>

#include "register.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "secondlook/core/version.hpp"

namespace py = pybind11;

namespace {

// The Python type is looked up when it is needed: scikit-learn is not imported before that.
void raise_as(const char* module, const char* type, const char* message) {
  py::set_error(py::module_::import(module).attr(type), message);
}

void translate(std::exception_ptr error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const secondlook::NotFitted& e) {
    raise_as("sklearn.exceptions", "NotFittedError", e.what());
  } catch (const secondlook::ModelFileError& e) {
    raise_as("secondlook.errors", "ModelFileError", e.what());
  } catch (const secondlook::FileError& e) {
    py::set_error(PyExc_OSError, e.what());
  } catch (const secondlook::Cancelled& e) {
    py::set_error(PyExc_KeyboardInterrupt, e.what());
  } catch (const secondlook::Error& e) {
    py::set_error(PyExc_ValueError, e.what());
  }
}

}  // namespace

void register_core(py::module_& module) {
  py::register_exception_translator(&translate);
  module.attr("__version__") = std::string(secondlook::version());
  module.attr("pybind11_internals_version") = PYBIND11_INTERNALS_VERSION;
  // Empty in a build without the image room. Here, so that it can be read without loading LibTorch.
  module.attr("torch_version") = SECONDLOOK_TORCH_VERSION;
  module.def("resolve_threads", &secondlook::resolve_threads, py::arg("n_jobs"));
}
