#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace secondlook {

/// A grey or colour image: rows × columns × channels in C order, colours as red, green, blue.
///
/// Values of 8 and 16 bits range from black to white. Floats are physical values, such as
/// temperatures; `Preprocessing::range` maps them to black and white.
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;  ///< 1 or 3
  /// height · width · channels values, of 8, 16 or 32 bits.
  std::variant<std::vector<std::uint8_t>, std::vector<std::uint16_t>, std::vector<float>> pixels;

  /// Bits per value: 8, 16, or 32 for floats.
  [[nodiscard]] int bits() const noexcept { return 8 << pixels.index(); }
  bool operator==(const Image&) const = default;
};

}  // namespace secondlook
