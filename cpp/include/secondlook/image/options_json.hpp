#pragma once

#include <string>
#include <string_view>

#include "secondlook/core/export.hpp"
#include "secondlook/image/augmentation.hpp"
#include "secondlook/image/image_classifier.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook {

/// Options as JSON objects with a member for each field of the same name; those left out keep their
/// defaults. This is how they lie in a model file and come from Python.
/// @throws InvalidArgument for an unknown member, or one of another type
[[nodiscard]] SECONDLOOK_EXPORT Augmentation augmentation_from_json(std::string_view json);
[[nodiscard]] SECONDLOOK_EXPORT Preprocessing preprocessing_from_json(std::string_view json);
[[nodiscard]] SECONDLOOK_EXPORT ImageClassifierParameters
image_classifier_parameters_from_json(std::string_view json);

[[nodiscard]] SECONDLOOK_EXPORT std::string to_json(const ImageClassifierParameters& parameters);
[[nodiscard]] SECONDLOOK_EXPORT std::string to_json(const Augmentation& augmentation);
[[nodiscard]] SECONDLOOK_EXPORT std::string to_json(const Preprocessing& preprocessing);

}  // namespace secondlook
