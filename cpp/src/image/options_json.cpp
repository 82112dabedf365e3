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

ImageClassifierParameters image_classifier_parameters_from_json(std::string_view json) {
  constexpr const char* who = "ImageClassifier";
  const StrictJson object = image::parse_options(who, json);
  ImageClassifierParameters parameters;
  image::FieldReader reader(who, object);
  image::for_each_field(parameters, reader);
  if (const StrictJson* augmentation = reader.nested("augmentation"))
    parameters.augmentation = image::read_fields<Augmentation>("Augmentation", *augmentation);
  reader.finish();
  return parameters;
}

std::string to_json(const ImageClassifierParameters& parameters) {
  StrictJson object = image::fields_of(parameters);
  object["augmentation"] = image::fields_of(parameters.augmentation);
  return object.dump();
}

std::string to_json(const Augmentation& augmentation) {
  return image::fields_of(augmentation).dump();
}

std::string to_json(const Preprocessing& preprocessing) {
  return image::fields_of(preprocessing).dump();
}

}  // namespace secondlook
