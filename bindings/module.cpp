#include "register.hpp"

PYBIND11_MODULE(_core, module) {
  register_core(module);
  register_store(module);
  register_detect(module);
  register_series(module);
}
