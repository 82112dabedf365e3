#pragma once

#include <array>
#include <string_view>

#include "image/strict_fields.hpp"
#include "secondlook/image/augmentation.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook::image {

template <>
struct EnumNames<ContrastNormalisation> {
  static constexpr std::array<std::string_view, 3> names = {"none", "stretch", "clahe"};
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
