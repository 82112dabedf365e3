#include "register.hpp"

PYBIND11_MODULE(_image, module) {
  // Registers exceptions and the types of the core.
  pybind11::module_::import("secondlook._core");
  register_images(module);
  register_image_classifier(module);
}
