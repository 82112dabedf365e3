#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

struct BatteryFeaturesParameters {
  /// Number of samples of means, deviations, extremes and rates, at least 2.
  std::size_t window = 12;
  std::int64_t max_gap_ns = 3'600'000'000'000;  ///< a longer gap resets the window
};

template <FieldsOf<BatteryFeaturesParameters> T>
void for_each_field(T& p, auto&& use) {
  use("window", p.window);
  use("max_gap_ns", p.max_gap_ns);
}

/// Fourteen features of a battery's voltage, current and temperature, sample by sample.
///
/// In the order of `names`: the three levels; their differences from the previous sample; over the
/// window the mean temperature, the standard deviation and the minimum of the voltage and the
/// maximum of the temperature; the mean rates of current and temperature over the window, per
/// minute; the power, volts times amperes; and the hour of day, in [0, 24). Differences, deviation
/// and rates are 0 at the first sample.
///
/// O(window) per sample, without allocation. Values may be in any unit.
class SECONDLOOK_EXPORT BatteryFeatures {
 public:
  static constexpr std::size_t kFeatures = 14;
  static constexpr std::array<std::string_view, kFeatures> names{"voltage",
                                                                 "current",
                                                                 "temperature",
                                                                 "voltage_difference",
                                                                 "current_difference",
                                                                 "temperature_difference",
                                                                 "temperature_mean",
                                                                 "voltage_deviation",
                                                                 "voltage_minimum",
                                                                 "temperature_maximum",
                                                                 "current_rate",
                                                                 "temperature_rate",
                                                                 "power",
                                                                 "hour"};

  struct Sample {
    std::int64_t time_ns = 0;  ///< since 1970, in UTC or by a clock without changes
    double voltage = 0;
    double current = 0;
    double temperature = 0;
    std::int64_t clock_offset_ns = 0;  ///< local time minus `time_ns`, for the hour of day
  };

  /// @throws InvalidArgument if a parameter is out of range
  explicit BatteryFeatures(BatteryFeaturesParameters parameters = {});

  /// Writes the features of the next sample. A sample with a missing value (NaN) is skipped, and
  /// its features are NaN.
  /// @throws InvalidArgument if a value is infinite or the time is not later than the previous one
  void push(const Sample& sample, std::span<double, kFeatures> features);

  [[nodiscard]] const BatteryFeaturesParameters& parameters() const noexcept { return parameters_; }

  /// The samples in the window, oldest first. Pushing them to a new object restores the window.
  [[nodiscard]] const std::vector<Sample>& window() const noexcept { return window_; }

 private:
  BatteryFeaturesParameters parameters_;
  std::vector<Sample> window_;  // oldest first
  std::optional<std::int64_t> last_time_ns_;
};

}  // namespace secondlook
