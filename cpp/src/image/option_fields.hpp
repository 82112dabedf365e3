#pragma once

#include <array>
#include <string_view>

#include "image/network_plan.hpp"
#include "image/strict_fields.hpp"
#include "secondlook/image/augmentation.hpp"
#include "secondlook/image/image_classifier.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook::image {

template <>
struct EnumNames<ContrastNormalisation> {
  static constexpr std::array<std::string_view, 3> names = {"none", "stretch", "clahe"};
};

template <>
struct EnumNames<Optimizer> {
  static constexpr std::array<std::string_view, 2> names = {"adamw", "sgd"};
};
template <>
struct EnumNames<LearningRateSchedule> {
  static constexpr std::array<std::string_view, 3> names = {"one_cycle", "cosine", "constant"};
};
template <>
struct EnumNames<ClassWeighting> {
  static constexpr std::array<std::string_view, 2> names = {"none", "balanced"};
};
template <>
struct EnumNames<Precision> {
  static constexpr std::array<std::string_view, 3> names = {"auto", "float32", "bfloat16"};
};
template <>
struct EnumNames<Device> {
  static constexpr std::array<std::string_view, 3> names = {"auto", "cpu", "cuda"};
};
template <>
struct EnumNames<EdgePaddingRule> {
  static constexpr std::array<std::string_view, 3> names = {"auto", "symmetric", "tensorflow"};
};

/// Calls use(name, value) for every field.
template <class Options, class Use>
  requires std::same_as<std::remove_const_t<Options>, Augmentation>
void for_each_field(Options& a, Use&& use) {
  use("horizontal_flip", a.horizontal_flip);
  use("vertical_flip", a.vertical_flip);
  use("rotation", a.rotation);
  use("shear", a.shear);
  use("zoom", a.zoom);
  use("aspect", a.aspect);
  use("shift", a.shift);
  use("brightness", a.brightness);
  use("contrast", a.contrast);
  use("gamma", a.gamma);
  use("blur", a.blur);
  use("noise", a.noise);
  use("clahe", a.clahe);
  use("erasing", a.erasing);
}

template <class Options, class Use>
  requires std::same_as<std::remove_const_t<Options>, Preprocessing>
void for_each_field(Options& p, Use&& use) {
  use("height", p.height);
  use("width", p.width);
  use("channels", p.channels);
  use("mean", p.mean);
  use("standard_deviation", p.standard_deviation);
  use("contrast", p.contrast);
  use("clipped_share", p.clipped_share);
  use("range", p.range);
}

/// All but the augmentation, which is an object of its own.
template <class Options, class Use>
  requires std::same_as<std::remove_const_t<Options>, ImageClassifierParameters>
void for_each_field(Options& p, Use&& use) {
  use("architecture", p.architecture);
  use("weights", p.weights);
  use("height", p.height);
  use("width", p.width);
  use("channels", p.channels);
  use("contrast", p.contrast);
  use("clipped_share", p.clipped_share);
  use("value_range", p.value_range);
  use("mean", p.mean);
  use("standard_deviation", p.standard_deviation);
  use("padding", p.padding);
  use("trained_blocks", p.trained_blocks);
  use("optimizer", p.optimizer);
  use("schedule", p.schedule);
  use("learning_rate", p.learning_rate);
  use("weight_decay", p.weight_decay);
  use("label_smoothing", p.label_smoothing);
  use("mixup", p.mixup);
  use("class_weighting", p.class_weighting);
  use("class_weights", p.class_weights);
  use("weight_averaging", p.weight_averaging);
  use("batch_size", p.batch_size);
  use("max_epochs", p.max_epochs);
  use("patience", p.patience);
  use("validation_fraction", p.validation_fraction);
  use("positive_class", p.positive_class);
  use("precision", p.precision);
  use("inference_precision", p.inference_precision);
  use("device", p.device);
  use("replay_size", p.replay_size);
  use("seed", p.seed);
  use("n_jobs", p.n_jobs);
}

template <class Options>
StrictJson fields_of(const Options& options) {
  FieldWriter writer;
  for_each_field(options, writer);
  return writer.take();
}

template <class Options>
Options read_fields(const char* who, const StrictJson& json) {
  Options options;
  FieldReader reader(who, json);
  for_each_field(options, reader);
  reader.finish();
  return options;
}

/// @throws InvalidArgument for what is not JSON
inline StrictJson parse_options(const char* who, std::string_view text) {
  StrictJson json = StrictJson::parse(text, nullptr, /*allow_exceptions=*/false);
  require(!json.is_discarded(), "{}: expected JSON, got '{}'", who, text);
  return json;
}

}  // namespace secondlook::image
