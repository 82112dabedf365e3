// Any bytes give an image of at most the allowed size, or InvalidArgument.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <variant>

#include "secondlook/core/error.hpp"
#include "secondlook/image/decode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t max_pixels = 1 << 16;
  // Half of the inputs select one of the first three pages.
  std::optional<std::size_t> page;
  if (size % 2 == 1) page = size / 2 % 3;
  try {
    const auto image =
        secondlook::decode_image(std::as_bytes(std::span(data, size)), "input", max_pixels, page);
    const std::size_t n_pixels = image.height * image.width;
    const std::size_t n_values =
        std::visit([](const auto& values) { return values.size(); }, image.pixels);
    if (n_pixels == 0 || n_pixels > max_pixels || n_values != n_pixels * image.channels)
      std::abort();
  } catch (const secondlook::InvalidArgument&) {  // for files that are not images
  }
  return 0;
}
