#pragma once

#include <array>
#include <cstdint>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Quantile of a stream in constant memory, by the P² algorithm (Jain & Chlamtac 1985).
///
/// Exact (by linear interpolation) for the first five samples. After that five markers track the
/// minimum, the maximum, the quantile and the two quantiles halfway to either end. Not thread-safe;
/// copies are independent.
class SECONDLOOK_EXPORT RunningQuantile {
 public:
  /// Complete state, for saving and restoring.
  struct State {
    double probability = 0;
    std::int64_t count = 0;                          ///< number of samples so far
    std::array<double, 5> heights{};                 ///< values of the markers, ascending
    std::array<double, 5> positions{1, 2, 3, 4, 5};  ///< ranks of the markers, from 1

    bool operator==(const State&) const = default;
  };

  /// @param probability in (0, 1)
  /// @throws InvalidArgument otherwise
  explicit RunningQuantile(double probability);

  /// Continues from a saved state.
  /// @throws InvalidArgument if the state is inconsistent
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
