#include "register.hpp"

namespace {

// So that `secondlook._core.detect` can be imported by its full name, as pickle and stubtest do.
void publish_submodules(const pybind11::module_& module) {
  const pybind11::dict loaded = pybind11::module_::import("sys").attr("modules");
  for (const auto& [name, value] : module.attr("__dict__").cast<pybind11::dict>())
    if (pybind11::isinstance<pybind11::module_>(value)) loaded[value.attr("__name__")] = value;
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  register_core(module);
  register_store(module);
  register_decide(module);
  register_detect(module);
  register_series(module);
  register_learn(module);
  publish_submodules(module);
}
