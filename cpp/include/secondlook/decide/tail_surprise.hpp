#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

struct TailSurpriseParameters {
  bool two_sided = false;      ///< whether low values are surprising, too
  std::int64_t largest = 50;   ///< number of values that make up the tail, at least 2
  double shape = 0.25;         ///< shape of the tail, in [0, 1); 0 is exponential
  std::int64_t warm_up = 150;  ///< number of first values that are not judged, at least `largest`
  std::int64_t block = 2500;   ///< number of values per block, at least `largest`

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

/// How surprising a value is, compared with its past: −log10 of its tail probability.
///
/// Beyond the K-th largest of the n stored values, the excess e is modelled as generalised Pareto
/// (Pickands 1975) with a fixed shape ξ and the mean excess m of the K largest values:
///   P = K/n · (1 + ξ e / (m (1 − ξ)))^(−1/ξ),
/// and below it the surprise is 0. The error of a fixed shape is smaller than the noise of a fitted
/// one. The stored values are those of the current block and of the previous one, so a change of
/// regime is surprising only once and an absurd value is forgotten. Each value is scored before it
/// is stored.
///
/// Surprises make the scores of different detectors comparable. Not thread-safe; copies are
/// independent.
class SECONDLOOK_EXPORT TailSurprise {
 public:
  static constexpr double kMost = 300;  ///< largest surprise

  /// Summary of consecutive values.
  struct Block {
    std::int64_t count = 0;
    double low = 0;  ///< smallest value; 0 without values
    double high = 0;
    /// The `largest` highest values, ascending; −infinity where there are fewer.
    std::vector<double> highest;
    std::vector<double> lowest;  ///< the same for the negated values; empty unless two-sided

    bool operator==(const Block&) const = default;
  };

  /// Complete state except for the parameters, for saving and restoring.
  struct State {
    std::int64_t count = 0;  ///< number of values so far
    Block remembered;        ///< the current block and the previous one
    Block current;           ///< the current block

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument if a parameter is out of range
  explicit TailSurprise(const TailSurpriseParameters& parameters = {});

  /// Continues from a saved state.
  /// @throws InvalidArgument if the state is inconsistent
  TailSurprise(const TailSurpriseParameters& parameters, State state);

  /// Returns the surprise of a value, in [0, kMost], and stores the value. No allocation. O(1), or
  /// O(`largest`) for a value among the largest, which about one in ten is.
  /// @throws InvalidArgument if it is not finite, or above 1e300 in magnitude; it is then not
  ///   counted
  double push(double value);

  /// The same for many values, one after another.
  /// @throws InvalidArgument as above, before the first value is counted
  std::vector<double> push(std::span<const double> values);

  /// Largest minus smallest stored value; 0 before the first.
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
