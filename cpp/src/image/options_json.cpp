#include "secondlook/image/options_json.hpp"

#include "image/option_fields.hpp"

namespace secondlook {

Augmentation augmentation_from_json(std::string_view json) {
  return image::read_fields<Augmentation>("Augmentation",
                                          image::parse_options("Augmentation", json));
}

Preprocessing preprocessing_from_json(std::string_view json) {
  return image::read_fields<Preprocessing>("Preprocessing",
                                           image::parse_options("Preprocessing", json));
}

std::string to_json(const Augmentation& augmentation) {
  return image::fields_of(augmentation).dump();
}

std::string to_json(const Preprocessing& preprocessing) {
  return image::fields_of(preprocessing).dump();
}

}  // namespace secondlook
