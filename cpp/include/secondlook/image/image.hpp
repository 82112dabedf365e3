#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace secondlook {

/// A grey or colour image: rows × columns × channels in C order, colours as red, green, blue.
///
/// Values of 8 and 16 bits go from black to white. Floats are physical values, such as
/// temperatures: `Preprocessing::range` says which of them become black and white.
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;  ///< 1 or 3
  /// height · width · channels values; which vector it is says how many bits a value has.
  std::variant<std::vector<std::uint8_t>, std::vector<std::uint16_t>, std::vector<float>> pixels;

  /// Bits of a value: 8, 16, or 32 for floats.
  [[nodiscard]] int bits() const noexcept { return 8 << pixels.index(); }
  bool operator==(const Image&) const = default;
};

}  // namespace secondlook
