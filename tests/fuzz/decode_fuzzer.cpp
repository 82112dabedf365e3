// Any bytes are an image of the size that was allowed, or an InvalidArgument.
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
  // Half of the inputs name a page, one of the first three.
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
  } catch (const secondlook::InvalidArgument&) {  // what a file that is no image ends in
  }
  return 0;
}
