#pragma once

#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Detects changes of a stream's mean, up or down, by the Page–Hinkley test (Page 1954; Hinkley
/// 1971).
///
/// The test accumulates the deviations from the mean, less a tolerance. When that sum has risen by
/// more than a threshold above its minimum, the mean has changed, and the test restarts: a step is
/// reported once, a mean that keeps moving repeatedly. The parameters are in the unit of the
/// stream; `Adwin` needs none. O(1) per value. Not thread-safe; copies are independent.
class SECONDLOOK_EXPORT PageHinkley {
 public:
  /// Complete state, to save and restore a detector.
  struct State {
    double tolerance = 0;          ///< change that is ignored, in the stream's unit; at least 0
    double threshold = 0;          ///< value of the sum that is a change; above 0
    std::int64_t min_samples = 0;  ///< number of values before the first report, at least 1
    std::int64_t count = 0;        ///< number of values since the start or the last report
    double mean = 0;               ///< mean of these values
    double rise = 0;               ///< rise of the sum above its minimum
    double fall = 0;               ///< the same for a falling mean

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument when a parameter is out of range
  explicit PageHinkley(double tolerance = 0.005, double threshold = 50,
                       std::int64_t min_samples = 30);

  /// Restores a detector from a state.
  /// @throws InvalidArgument if the state is inconsistent
  explicit PageHinkley(const State& state);

  /// Adds a finite value and returns whether the mean has changed.
  /// @throws InvalidArgument if the value is not finite; it is then not counted
  bool push(double value);

  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  State state_;
};

template <FieldsOf<PageHinkley::State> T>
void for_each_field(T& s, auto&& use) {
  use("tolerance", s.tolerance);
  use("threshold", s.threshold);
  use("min_samples", s.min_samples);
  use("count", s.count);
  use("mean", s.mean);
  use("rise", s.rise);
  use("fall", s.fall);
}

}  // namespace secondlook
