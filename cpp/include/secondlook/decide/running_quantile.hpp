#pragma once

#include <array>
#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Quantile of a stream in constant memory, by the P² algorithm (Jain & Chlamtac 1985).
///
/// Exact for the first five samples, as linear interpolation between them; then five markers follow
/// the minimum, the maximum and the quantile with its two halves. Not thread-safe; copies are
/// independent.
class SECONDLOOK_EXPORT RunningQuantile {
 public:
  /// All there is to a running quantile: what is kept to continue it elsewhere.
  struct State {
    double probability = 0;
    std::int64_t count = 0;                          ///< samples so far
    std::array<double, 5> heights{};                 ///< the markers' values, ascending
    std::array<double, 5> positions{1, 2, 3, 4, 5};  ///< their ranks among the samples, from 1

    bool operator==(const State&) const = default;
  };

  /// @param probability in (0, 1)
  /// @throws InvalidArgument otherwise
  explicit RunningQuantile(double probability);

  /// Continues from a state.
  /// @throws InvalidArgument for one that no samples lead to
  explicit RunningQuantile(const State& state);

  /// Adds one sample and returns the estimate. O(1), no allocation.
  /// @throws InvalidArgument if it is not finite; it is then not counted
  double push(double sample);

  /// Current estimate; NaN before the first sample.
  [[nodiscard]] double value() const noexcept;

  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  State state_;
};

template <FieldsOf<RunningQuantile::State> T>
void for_each_field(T& s, auto&& use) {
  use("probability", s.probability);
  use("count", s.count);
  use("heights", s.heights);
  use("positions", s.positions);
}

}  // namespace secondlook
