#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <utility>

#include "arrays.hpp"
#include "secondlook/image/image.hpp"

/// Copies a C-contiguous array of shape (rows, columns) or (rows, columns, channels), of uint8,
/// uint16 or float32, as ensured by the Python wrapper.
inline secondlook::Image to_image(const pybind11::array& array) {
  secondlook::Image image;
  image.height = static_cast<std::size_t>(array.shape(0));
  image.width = static_cast<std::size_t>(array.shape(1));
  image.channels = array.ndim() == 3 ? static_cast<std::size_t>(array.shape(2)) : 1;
  const auto copy = [&]<class Value>(Value) {
    const auto typed = pybind11::cast<ContiguousArray<Value>>(array);
    image.pixels = std::vector<Value>(typed.data(), typed.data() + typed.size());
  };
  if (array.itemsize() == 1) {
    copy(std::uint8_t{});
  } else if (array.itemsize() == 2) {
    copy(std::uint16_t{});
  } else {
    copy(float{});
  }
  return image;
}

/// Moves the memory of an image to NumPy: shape (rows, columns) if grey, else (rows, columns, 3).
inline pybind11::array to_array(secondlook::Image&& image) {
  std::vector<pybind11::ssize_t> shape = {static_cast<pybind11::ssize_t>(image.height),
                                          static_cast<pybind11::ssize_t>(image.width)};
  if (image.channels != 1) shape.push_back(static_cast<pybind11::ssize_t>(image.channels));
  return std::visit(
      [&](auto&& values) -> pybind11::array {
        return to_array(std::move(values), std::move(shape));
      },
      std::move(image.pixels));
}
