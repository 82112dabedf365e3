#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Detects changes of a stream's mean by ADWIN2 (Bifet & Gavaldà, "Learning from Time-Changing Data
/// with Adaptive Windowing", SDM 2007).
///
/// The window grows while its parts agree. If the means of an older and a newer part differ by more
/// than chance allows at confidence 1 − δ, the older part is dropped and a change is reported. The
/// window is an exponential histogram: O(log n) memory for n values; O(1) per value, O(log n) for
/// every 32nd. Not thread-safe; copies are independent.
class SECONDLOOK_EXPORT Adwin {
 public:
  /// Sums over consecutive values.
  struct Bucket {
    double sum = 0;
    double sum_of_squares = 0;

    bool operator==(const Bucket&) const = default;
  };

  /// Complete state, to save and restore a detector.
  struct State {
    double delta = 0;
    std::uint64_t n_seen = 0;                 ///< number of values so far
    std::uint64_t changed_at = 0;             ///< `n_seen` at the last report; 0: none yet
    std::vector<std::vector<Bucket>> levels;  ///< level i: buckets of 2^i values, oldest first

    bool operator==(const State&) const = default;
  };

  /// @param delta upper bound of the false alarm probability, in (0, 1)
  /// @throws InvalidArgument if `delta` lies outside
  explicit Adwin(double delta = 0.002);

  /// Restores a detector from a state.
  /// @throws InvalidArgument if the state is inconsistent
  explicit Adwin(State state);

  /// Adds a value and returns whether the mean has changed. A change is reported once, though the
  /// window goes on shrinking as more of the older part can be told apart; a mean that goes on
  /// moving is reported again.
  /// @param value in [0, 1]
  /// @throws InvalidArgument if the value lies outside; it is then not counted
  bool push(double value);

  /// Number of values in the window.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Mean of the window; NaN while it is empty.
  [[nodiscard]] double mean() const noexcept;
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  void compress();
  [[nodiscard]] std::uint64_t clearest_cut() const;
  void drop_oldest();

  State state_;
  std::uint64_t size_ = 0;
  Bucket total_;
};

template <FieldsOf<Adwin::Bucket> T>
void for_each_field(T& b, auto&& use) {
  use("sum", b.sum);
  use("sum_of_squares", b.sum_of_squares);
}
template <>
inline constexpr bool is_written_as_list<Adwin::Bucket> = true;

template <FieldsOf<Adwin::State> T>
void for_each_field(T& s, auto&& use) {
  use("delta", s.delta);
  use("n_seen", s.n_seen);
  use("changed_at", s.changed_at);
  use("levels", s.levels);
}

}  // namespace secondlook
