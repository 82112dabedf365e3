#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace secondlook {

/// A grey or colour image of 8 or 16 bits a value: rows × columns × channels in C order, colours
/// as red, green, blue.
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;  ///< 1 or 3
  /// height · width · channels values; which vector it is says how many bits a value has.
  std::variant<std::vector<std::uint8_t>, std::vector<std::uint16_t>> pixels;

  [[nodiscard]] int bits() const noexcept { return pixels.index() == 0 ? 8 : 16; }
  bool operator==(const Image&) const = default;
};

}  // namespace secondlook
