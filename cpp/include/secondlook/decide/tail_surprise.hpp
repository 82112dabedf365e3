#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

struct TailSurpriseParameters {
  bool two_sided = false;      ///< whether low values are surprising too
  std::int64_t largest = 50;   ///< values that make up the tail, at least 2
  double shape = 0.25;         ///< of the tail, in [0, 1): 0 is exponential
  std::int64_t warm_up = 150;  ///< first values without a verdict, at least `largest`
  std::int64_t block = 2500;   ///< values a block, at least `largest`

  bool operator==(const TailSurpriseParameters&) const = default;
};

template <FieldsOf<TailSurpriseParameters> T>
void for_each_field(T& p, auto&& use) {
  use("two_sided", p.two_sided);
  use("largest", p.largest);
  use("shape", p.shape);
  use("warm_up", p.warm_up);
  use("block", p.block);
}

/// How surprising a value is on its own past: −log10 of its tail probability.
///
/// Beyond the K-th largest of the n values remembered the excess e is taken as generalised Pareto
/// (Pickands 1975) with fixed shape ξ and the mean excess m of the K largest:
///   P = K/n · (1 + ξ e / (m (1 − ξ)))^(−1/ξ),
/// and below it the surprise is 0. A fitted shape would be noisier than a fixed one is wrong. What
/// is remembered is the current block of values and the one before it, so a change of regime is
/// surprising once, and an absurd value is forgotten. Values are scored first and learned then.
///
/// Makes scores of any detector comparable with one another. Not thread-safe; copies are
/// independent.
class SECONDLOOK_EXPORT TailSurprise {
 public:
  static constexpr double kMost = 300;  ///< no surprise is larger

  /// What is kept of some consecutive values.
  struct Block {
    std::int64_t count = 0;
    double low = 0;  ///< least value; 0 without any
    double high = 0;
    std::vector<double>
        highest;                 ///< ascending, as many as `largest`; −infinity where there is none
    std::vector<double> lowest;  ///< of the negated values; empty unless two-sided

    bool operator==(const Block&) const = default;
  };

  /// All there is to it but the parameters: what is kept to continue elsewhere.
  struct State {
    std::int64_t count = 0;  ///< values so far
    Block remembered;        ///< this block and the one before it
    Block current;           ///< this block

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument when a parameter is out of range
  explicit TailSurprise(const TailSurpriseParameters& parameters = {});

  /// Continues from a state.
  /// @throws InvalidArgument for one that no values lead to
  TailSurprise(const TailSurpriseParameters& parameters, State state);

  /// Returns the surprise of a value, in [0, kMost], and learns the value. No allocation. O(1), but
  /// O(`largest`) for a value among the largest, as about one in ten is.
  /// @throws InvalidArgument if it is not finite, or above 1e300 in magnitude; it is then not
  ///   counted
  double push(double value);

  /// The same for many values, one after another.
  /// @throws InvalidArgument as above, before the first is counted
  std::vector<double> push(std::span<const double> values);

  /// Largest minus smallest of the values remembered; 0 before the first.
  [[nodiscard]] double range() const noexcept {
    return state_.remembered.high - state_.remembered.low;
  }

  [[nodiscard]] const TailSurpriseParameters& parameters() const noexcept { return parameters_; }
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  [[nodiscard]] double surprise_beyond(const std::vector<double>& largest, double value) const;

  TailSurpriseParameters parameters_;
  State state_;
};

template <FieldsOf<TailSurprise::Block> T>
void for_each_field(T& b, auto&& use) {
  use("count", b.count);
  use("low", b.low);
  use("high", b.high);
  use("highest", b.highest);
  use("lowest", b.lowest);
}

template <FieldsOf<TailSurprise::State> T>
void for_each_field(T& s, auto&& use) {
  use("count", s.count);
  use("remembered", s.remembered);
  use("current", s.current);
}

}  // namespace secondlook
