#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace secondlook {

/// Number of bytes after the end of a text that `parse_decimal` may read.
constexpr std::size_t kDecimalPadding = 8;

namespace detail {

// Outside the function, which would otherwise build it for each number.
inline constexpr std::array<std::uint64_t, 8> kPowersOfTen = {
    1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000};

/// Joins eight digits, the first in the lowest byte, into a number: first pairs, then fours.
inline std::uint64_t join_digits(std::uint64_t digits) noexcept {
  constexpr std::uint64_t kLowOfPairs = 0x000000FF000000FF;
  digits = digits * 10 + (digits >> 8);
  return ((digits & kLowOfPairs) * (100 + (std::uint64_t{1000000} << 32)) +
          (digits >> 16 & kLowOfPairs) * (1 + (std::uint64_t{10000} << 32))) >>
         32;
}

}  // namespace detail

/// Reads a plain decimal number such as `-3389.000000` from a text that ends with '\n', followed by
/// `kDecimalPadding` readable bytes. `kMark` is the decimal separator.
///
/// The result is correctly rounded: the digits are an integer up to 2^53 and the power of ten is
/// exact, so the only rounding is that of the division (Clinger 1990). Returns the end of the
/// number, or null for any other text: exponents, more than 8 decimals, signs other than '-', or no
/// digits.
template <char kMark = '.'>
inline const char* parse_decimal(const char* p, double& value) noexcept {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t kZeros = 0x3030303030303030;
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  constexpr std::uint64_t kSixDecimals = 0x0080000000000000;
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  constexpr std::ptrdiff_t kMaxDigits = 11;  // with 7 decimals they fit 64 bits

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
  if (n_digits > kMaxDigits) return nullptr;
  std::uint64_t power = 1;
  if (*p == kMark) {
    ++p;
    std::uint64_t decimals = 0;
    std::memcpy(&decimals, p, sizeof decimals);
    decimals ^= kZeros;
    // The lowest byte with its high bit set is the first that is not a digit.
    const std::uint64_t others = ((decimals + 0x7676767676767676) | decimals) & kHighBits;
    if (others == 0) return nullptr;
    const int n = std::countr_zero(others) / 8;
    n_digits += n;
    // Predicts six decimals, as printf writes them. A right prediction is free, while p + n has to
    // wait for n.
    if ((others & (kSixDecimals | (kSixDecimals - 1))) == kSixDecimals)
      p += 6;
    else
      p += n;
    decimals = n > 0 ? decimals << (64 - 8 * n) : 0;
    if (decimals != 0) {
      power = detail::kPowersOfTen[static_cast<std::size_t>(n)];
      digits = digits * power + detail::join_digits(decimals);
    }
  }
  if (n_digits == 0 || digits > kExact) return nullptr;
  double magnitude = static_cast<double>(static_cast<std::int64_t>(digits));
  if (power != 1) magnitude /= static_cast<double>(static_cast<std::int64_t>(power));
  value = negative ? -magnitude : magnitude;
  return p;
}

}  // namespace secondlook
