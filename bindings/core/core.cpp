#include <pybind11/pybind11.h>

#include <string>
#include <string_view>

#include "register.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/version.hpp"

namespace py = pybind11;

namespace {

// Messages of the core name members as in C++, `LstmForecaster::fit: …`. In Python they become
// `LSTMForecaster.fit: …`.
std::string as_python_says(std::string_view what) {
  const auto replaced = [](std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
    return text;
  };
  const std::size_t end = what.find(": ");  // text after it may be the user's data
  const std::string who = replaced(std::string(what.substr(0, end)), "::", ".");
  const std::string rest(end == std::string_view::npos ? std::string_view() : what.substr(end));
  return replaced(who + rest, "LstmForecaster", "LSTMForecaster");
}

// The Python type is looked up on use, so that scikit-learn is only imported if needed.
void raise_as(const char* module, const char* type, std::string_view what) {
  py::set_error(py::module_::import(module).attr(type), as_python_says(what).c_str());
}

void translate(std::exception_ptr error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const secondlook::NotFitted& e) {
    raise_as("sklearn.exceptions", "NotFittedError", e.what());
  } catch (const secondlook::ModelFileError& e) {
    raise_as("secondlook.errors", "ModelFileError", e.what());
  } catch (const secondlook::FileError& e) {
    py::set_error(PyExc_OSError, as_python_says(e.what()).c_str());
  } catch (const secondlook::Cancelled& e) {
    py::set_error(PyExc_KeyboardInterrupt, as_python_says(e.what()).c_str());
  } catch (const secondlook::Error& e) {
    py::set_error(PyExc_ValueError, as_python_says(e.what()).c_str());
  }
}

}  // namespace

void register_core(py::module_& module) {
  py::register_exception_translator(&translate);
  module.attr("__version__") = std::string(secondlook::version());
  module.attr("pybind11_internals_version") = PYBIND11_INTERNALS_VERSION;
  // Empty in a build without image support. Defined here, so that it can be read without loading
  // LibTorch.
  module.attr("torch_version") = SECONDLOOK_TORCH_VERSION;
}
