#pragma once

#include <array>
#include <cstdint>

namespace secondlook {

/// Reads a plain decimal number such as `-3389.000000` from a text that ends in '\n' at the latest.
///
/// Exact where it succeeds: the digits make an integer below 2^53 and the power of ten is exact, so
/// the one division rounds correctly (Clinger 1990). Returns where the number ends, or null for
/// whatever is not of this form: exponents, more digits, signs other than '-', words, nothing.
inline const char* parse_decimal(const char* p, double& value) noexcept {
  constexpr std::array<double, 20> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                   1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                   1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  constexpr std::ptrdiff_t kMaxDigits = 19;  // fits 64 bits

  const bool negative = *p == '-';
  p += negative ? 1 : 0;
  const char* begin = p;
  std::uint64_t digits = 0;
  unsigned digit = 0;
  while ((digit = static_cast<unsigned char>(*p) - unsigned{'0'}) <= 9) {
    digits = digits * 10 + digit;
    ++p;
  }
  std::ptrdiff_t n_digits = p - begin;
  std::ptrdiff_t n_decimals = 0;
  if (*p == '.') {
    const char* decimals = ++p;
    while ((digit = static_cast<unsigned char>(*p) - unsigned{'0'}) <= 9) {
      digits = digits * 10 + digit;
      ++p;
    }
    n_decimals = p - decimals;
    n_digits += n_decimals;
  }
  if (n_digits == 0 || n_digits > kMaxDigits || digits > kExact) return nullptr;
  const double magnitude =
      static_cast<double>(static_cast<std::int64_t>(digits)) / kPowersOfTen[n_decimals];
  value = negative ? -magnitude : magnitude;
  return p;
}

}  // namespace secondlook
