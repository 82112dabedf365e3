#include "secondlook/series/battery_features.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::BatteryFeatures;
using secondlook::InvalidArgument;
using Features = std::array<double, BatteryFeatures::kFeatures>;

namespace {

constexpr std::int64_t kMinute = 60'000'000'000;

Features push(BatteryFeatures& features, double minute, double voltage, double current,
              double temperature) {
  Features values{};
  features.push({static_cast<std::int64_t>(minute * kMinute), voltage, current, temperature},
                values);
  return values;
}

double named(const Features& values, std::string_view name) {
  const auto place = std::ranges::find(BatteryFeatures::names, name);
  REQUIRE(place != BatteryFeatures::names.end());
  return values[static_cast<std::size_t>(place - BatteryFeatures::names.begin())];
}

}  // namespace

TEST_CASE("BatteryFeatures: agree with a calculation by hand") {
  BatteryFeatures features({.window = 3});
  const auto first = push(features, 90, 3.2, 10, 25);
  REQUIRE(named(first, "voltage_difference") == 0);
  REQUIRE(named(first, "voltage_deviation") == 0);
  REQUIRE(named(first, "temperature_rate") == 0);
  REQUIRE(named(first, "power") == Approx(32));
  REQUIRE(named(first, "hour") == Approx(1.5));
  push(features, 91, 3.0, 20, 26);
  push(features, 92, 3.1, 30, 28);
  const auto last = push(features, 93, 3.4, -5, 27);  // the first sample has left the window
  REQUIRE(named(last, "voltage") == 3.4);
  REQUIRE(named(last, "voltage_difference") == Approx(0.3));
  REQUIRE(named(last, "current_difference") == Approx(-35));
  REQUIRE(named(last, "temperature_difference") == Approx(-1));
  REQUIRE(named(last, "temperature_mean") == Approx(27));
  REQUIRE(named(last, "voltage_deviation") ==
          Approx(std::sqrt((0.0278 + 0.0044 + 0.0544) / 3)).epsilon(1e-2));
  REQUIRE(named(last, "voltage_minimum") == 3.0);
  REQUIRE(named(last, "temperature_maximum") == 28);
  REQUIRE(named(last, "current_rate") == Approx(-12.5));
  REQUIRE(named(last, "temperature_rate") == Approx(0.5));
}

TEST_CASE("BatteryFeatures: a missing sample is skipped, a long gap resets the window") {
  BatteryFeatures features;
  push(features, 0, 3.2, 10, 25);
  const auto missing = push(features, 1, std::numeric_limits<double>::quiet_NaN(), 10, 25);
  REQUIRE(std::ranges::all_of(missing, [](double value) { return std::isnan(value); }));
  REQUIRE(named(push(features, 2, 3.3, 10, 25), "voltage_difference") == Approx(0.1));
  REQUIRE(named(push(features, 63, 4.0, 10, 25), "voltage_difference") == 0);
}

TEST_CASE("BatteryFeatures: report invalid arguments") {
  REQUIRE_THROWS_AS(BatteryFeatures({.window = 1}), InvalidArgument);
  REQUIRE_THROWS_AS(BatteryFeatures({.max_gap_ns = 0}), InvalidArgument);
  BatteryFeatures features;
  push(features, 5, 3.2, 10, 25);
  REQUIRE_THROWS_AS(push(features, 5, 3.2, 10, 25), InvalidArgument);
  REQUIRE_THROWS_AS(push(features, 4, 3.2, 10, 25), InvalidArgument);
  REQUIRE_THROWS_AS(push(features, 6, std::numeric_limits<double>::infinity(), 10, 25),
                    InvalidArgument);
  REQUIRE(features.window().size() == 1);
}
