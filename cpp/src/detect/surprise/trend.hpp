#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "secondlook/detect/surprise_stream.hpp"

namespace secondlook::detect {

/// Removes a steady rise or fall from a series, such as that of a counter or a slow drift.
///
/// The series is trending while a straight line fits the means of the last eight blocks of 64, 128,
/// 256 or 512 samples: while the t-statistic of its slope is at least 8, which independent samples
/// exceed once in 5,000 blocks. The slope is that of the shortest such blocks. Without a trend the
/// samples pass unchanged, apart from the sum of earlier trends.
class Trend {
 public:
  static constexpr std::size_t kLevels = 4;
  static constexpr std::size_t kMeans = 8;
  static constexpr std::int64_t kBlock = 64;

  /// Returns the next sample without the trend so far; NaN (missing) stays NaN.
  double remove(double sample);

  [[nodiscard]] SurpriseStream::Trend state() const;
  /// @throws InvalidArgument for an inconsistent state
  void restore(const SurpriseStream::Trend& state);

 private:
  // Means of the last blocks of one length, oldest first.
  struct Level {
    std::array<double, kMeans> means{};
    std::size_t count = 0;
    double waiting = 0;  // mean of a block that has no partner yet; NaN: it has no mean

    void push(double mean);
    /// Slope per block; 0 if there is no trend.
    [[nodiscard]] double slope() const;
  };

  void end_block();
  [[nodiscard]] double slope() const;

  std::array<Level, kLevels> levels_{};
  double sum_ = 0;          // of the current block
  std::int64_t count_ = 0;  // samples of the current block that are not missing
  std::int64_t time_ = 0;
  double slope_ = 0;  // per sample
  double offset_ = 0;
};

}  // namespace secondlook::detect
