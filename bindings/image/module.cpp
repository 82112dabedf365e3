#include "register.hpp"

PYBIND11_MODULE(_image, module) {
  // Exceptions and types of the other rooms are registered there.
  pybind11::module_::import("secondlook._core");
  register_images(module);
  register_image_classifier(module);
}
