#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "secondlook/image/image.hpp"

namespace secondlook {

/// An image whose values are `value(row, column, channel)`.
template <class Value = std::uint8_t, class Function>
Image make_image(std::size_t height, std::size_t width, std::size_t channels,
                 const Function& value) {
  std::vector<Value> values;
  for (std::size_t row = 0; row < height; ++row)
    for (std::size_t column = 0; column < width; ++column)
      for (std::size_t channel = 0; channel < channels; ++channel)
        values.push_back(static_cast<Value>(value(row, column, channel)));
  return {height, width, channels, std::move(values)};
}

inline std::vector<std::uint8_t> values_of(const Image& image) {
  return std::get<std::vector<std::uint8_t>>(image.pixels);
}

inline std::vector<std::uint16_t> wide_values_of(const Image& image) {
  return std::get<std::vector<std::uint16_t>>(image.pixels);
}

}  // namespace secondlook
