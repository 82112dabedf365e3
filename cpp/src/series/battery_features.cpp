#include "secondlook/series/battery_features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr double kNanosecondsPerMinute = 6e10;
constexpr std::int64_t kNanosecondsPerDay = 86'400'000'000'000;

double hour_of_day(std::int64_t time_ns, std::int64_t clock_offset_ns) {
  // The remainders are taken first, because the sum of the times may overflow.
  const std::int64_t sum = time_ns % kNanosecondsPerDay + clock_offset_ns % kNanosecondsPerDay;
  const std::int64_t into_day =
      (sum % kNanosecondsPerDay + kNanosecondsPerDay) % kNanosecondsPerDay;
  return static_cast<double>(into_day) / (60 * kNanosecondsPerMinute);
}

}  // namespace

BatteryFeatures::BatteryFeatures(BatteryFeaturesParameters parameters) : parameters_(parameters) {
  require(parameters.window >= 2 && parameters.window <= 65536,
          "BatteryFeatures: window must lie in [2, 65536], got {}", parameters.window);
  require(parameters.max_gap_ns > 0, "BatteryFeatures: max_gap must be above 0, got {} ns",
          parameters.max_gap_ns);
  window_.reserve(parameters.window);
}

void BatteryFeatures::push(const Sample& sample, std::span<double, kFeatures> features) {
  const auto [time_ns, voltage, current, temperature, clock_offset_ns] = sample;
  for (const double value : {voltage, current, temperature})
    require(!std::isinf(value), "BatteryFeatures::push: expected finite values or NaN, got {}",
            value);
  require(!last_time_ns_ || time_ns > *last_time_ns_,
          "BatteryFeatures::push: expected a time after {} ns, got {} ns",
          last_time_ns_.value_or(0), time_ns);
  last_time_ns_ = time_ns;
  if (std::isnan(voltage) || std::isnan(current) || std::isnan(temperature)) {
    std::ranges::fill(features, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  // Times increase, so the unsigned difference fits where a signed one might overflow.
  const auto since = [time_ns = time_ns](std::int64_t earlier) {
    return static_cast<std::uint64_t>(time_ns) - static_cast<std::uint64_t>(earlier);
  };
  if (!window_.empty() &&
      since(window_.back().time_ns) > static_cast<std::uint64_t>(parameters_.max_gap_ns))
    window_.clear();
  const Sample before = window_.empty() ? sample : window_.back();
  if (window_.size() == parameters_.window) window_.erase(window_.begin());
  window_.push_back(sample);

  const auto n = static_cast<double>(window_.size());
  double temperature_sum = 0, voltage_sum = 0;
  double voltage_minimum = voltage, temperature_maximum = temperature;
  for (const Sample& s : window_) {
    temperature_sum += s.temperature;
    voltage_sum += s.voltage;
    voltage_minimum = std::min(voltage_minimum, s.voltage);
    temperature_maximum = std::max(temperature_maximum, s.temperature);
  }
  double squares = 0;
  for (const Sample& s : window_) squares += std::pow(s.voltage - voltage_sum / n, 2);
  const Sample& first = window_.front();
  const double minutes = static_cast<double>(since(first.time_ns)) / kNanosecondsPerMinute;
  const auto rate = [&](double change) { return minutes > 0 ? change / minutes : 0; };

  const std::array<double, kFeatures> values{voltage,
                                             current,
                                             temperature,
                                             voltage - before.voltage,
                                             current - before.current,
                                             temperature - before.temperature,
                                             temperature_sum / n,
                                             std::sqrt(squares / n),
                                             voltage_minimum,
                                             temperature_maximum,
                                             rate(current - first.current),
                                             rate(temperature - first.temperature),
                                             voltage * current,
                                             hour_of_day(time_ns, clock_offset_ns)};
  std::ranges::copy(values, features.begin());
}

}  // namespace secondlook
