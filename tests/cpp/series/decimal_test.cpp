#include "series/decimal.hpp"

#include <cstdlib>
#include <string>

#include "catch.hpp"
#include "secondlook/core/random.hpp"

using secondlook::parse_decimal;
using secondlook::RandomStream;

namespace {

std::string padded(const std::string& text) {
  return text + ',' + std::string(1 + secondlook::kDecimalPadding, '\n');
}

std::string random_digits(RandomStream& random, std::uint64_t n) {
  std::string digits;
  for (std::uint64_t i = 0; i < n; ++i) digits += static_cast<char>('0' + random.below(10));
  return digits;
}

}  // namespace

TEST_CASE("parse_decimal: results are correctly rounded") {
  const auto seed = static_cast<std::uint64_t>(GENERATE(range(0, 20)));
  RandomStream random(seed);
  CAPTURE(seed);
  int n_read = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string number =
        std::string(random.below(2), '-') + random_digits(random, random.below(13)) +
        std::string(random.below(2), '.') + random_digits(random, random.below(10));
    const std::string text = padded(number);
    double value = 0;
    const char* end = parse_decimal(text.data(), value);
    if (end == nullptr) continue;
    ++n_read;
    if (value != std::strtod(number.c_str(), nullptr) || *end != ',') FAIL(number);
  }
  REQUIRE(n_read > 2000);
}

TEST_CASE("parse_decimal: plain numbers of the usual lengths are read") {
  const std::string number = GENERATE("0", "-0", "1.", ".5", "3389.000000", "-3389.125000",
                                      "0.1234567", "12345678901", "99999999.9999999", "000000.1");
  const std::string text = padded(number);
  double value = -1;
  REQUIRE(parse_decimal(text.data(), value) == text.data() + number.size());
  REQUIRE(value == std::strtod(number.c_str(), nullptr));
}

TEST_CASE("parse_decimal: other notations are not read") {
  const std::string text = GENERATE("", "-", ".", "-.", "+1", "x", "nan", "123456789012",
                                    "0.12345678", "99999999999.9999999", " 1");
  double value = 0;
  REQUIRE(parse_decimal(padded(text).data(), value) == nullptr);
}
