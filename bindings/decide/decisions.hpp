#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "arrays.hpp"
#include "secondlook/decide/suspicious_band.hpp"

/// Decision codes: 0 negative, 1 refer, 2 positive.
inline pybind11::array_t<std::uint8_t> to_codes(
    const std::vector<secondlook::Decision>& decisions) {
  std::vector<std::uint8_t> codes(decisions.size());
  std::ranges::transform(decisions, codes.begin(),
                         [](auto decision) { return static_cast<std::uint8_t>(decision); });
  return to_array(std::move(codes));
}
