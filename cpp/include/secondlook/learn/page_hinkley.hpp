#pragma once

#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Change of a stream's mean, up or down, by the Page–Hinkley test (Page 1954; Hinkley 1971).
///
/// Sums up how far values lie from their mean, less a tolerance; where that sum has risen by more
/// than a threshold above its minimum, the mean has changed. Starts over after that. Needs to know
/// the stream's unit, where `Adwin` does not. O(1). Not thread-safe; copies are independent.
class SECONDLOOK_EXPORT PageHinkley {
 public:
  /// All there is to a detector: what is kept to continue it elsewhere.
  struct State {
    double tolerance = 0;          ///< change that is none, in the stream's unit; at least 0
    double threshold = 0;          ///< of the sum, in the stream's unit; above 0
    std::int64_t min_samples = 0;  ///< before any alarm, at least 1
    std::int64_t count = 0;        ///< values since the start or the last change
    double mean = 0;               ///< of them
    double rise = 0;               ///< of the sum above its minimum
    double fall = 0;               ///< the same for a falling mean

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument when a parameter is out of range
  explicit PageHinkley(double tolerance = 0.005, double threshold = 50,
                       std::int64_t min_samples = 30);

  /// Continues from a state.
  /// @throws InvalidArgument for one that no values lead to
  explicit PageHinkley(const State& state);

  /// Adds a finite value; whether the mean has changed.
  /// @throws InvalidArgument if it is not finite; it is then not counted
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
