#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Change of a stream's mean by ADWIN2 (Bifet & Gavaldà, "Learning from Time-Changing Data with
/// Adaptive Windowing", SDM 2007).
///
/// Keeps as long a window as its halves agree: where the means of an older and a newer part differ
/// by more than chance allows at confidence 1 − δ, the older part goes and a change is reported.
/// The window is an exponential histogram, so n values take O(log n) memory and each value O(1),
/// every 32nd O(log n). Not thread-safe; copies are independent.
class SECONDLOOK_EXPORT Adwin {
 public:
  /// Sums over neighbouring values.
  struct Bucket {
    double sum = 0;
    double sum_of_squares = 0;

    bool operator==(const Bucket&) const = default;
  };

  /// All there is to a detector: what is kept to continue it elsewhere.
  struct State {
    double delta = 0;
    std::uint64_t n_seen = 0;                 ///< values so far
    std::vector<std::vector<Bucket>> levels;  ///< level i: buckets of 2^i values, oldest first

    bool operator==(const State&) const = default;
  };

  /// @param delta bound on the probability of a false alarm, in (0, 1)
  /// @throws InvalidArgument otherwise
  explicit Adwin(double delta = 0.002);

  /// Continues from a state.
  /// @throws InvalidArgument for one that no values lead to
  explicit Adwin(State state);

  /// Adds a value; whether the mean has changed.
  /// @param value in [0, 1]
  /// @throws InvalidArgument otherwise; it is then not counted
  bool push(double value);

  /// Values in the window.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Mean of the window; NaN while it is empty.
  [[nodiscard]] double mean() const noexcept;
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  void compress();
  [[nodiscard]] bool has_cut() const;
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
  use("levels", s.levels);
}

}  // namespace secondlook
