#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// How scores become probabilities.
///
/// - `platt`: 1 / (1 + exp(−(slope · s + intercept))), by maximum likelihood with smoothed targets
///   (Platt 1999, as Lin, Lin & Weng 2007 put it). Two parameters: for few cases.
/// - `isotonic`: the rising function nearest in squares (Zadrozny & Elkan 2002), linear between its
///   steps, constant outside. Of any shape: for a thousand cases and more.
/// - `temperature`: 1 / (1 + exp(−s / T)) for scores that are logits (Guo et al. 2017): one
///   parameter, 0 stays ½.
enum class CalibrationMethod : std::uint8_t { platt, isotonic, temperature };
template <>
inline constexpr std::array<std::string_view, 3> names_of<CalibrationMethod>{"platt", "isotonic",
                                                                             "temperature"};

/// Probabilities of being abnormal, from scores that need not be any. Immutable.
class SECONDLOOK_EXPORT Calibration {
 public:
  /// What was learned; the members that the method does not use are empty or 0.
  struct State {
    CalibrationMethod method = CalibrationMethod::platt;
    double slope = 0;
    double intercept = 0;
    std::vector<double> scores;         ///< of the isotonic function's corners, rising
    std::vector<double> probabilities;  ///< at these corners, never falling
  };

  /// Learns from labelled scores that the detector was not trained on. O(n log n).
  /// @param scores higher is more abnormal; finite
  /// @param labels as many; 1 is abnormal, 0 normal; some of both
  /// @throws InvalidArgument otherwise
  Calibration(CalibrationMethod method, std::span<const double> scores,
              std::span<const std::uint8_t> labels);

  /// Goes on from what was learned before.
  /// @throws InvalidArgument for a state that no fit leaves
  explicit Calibration(State state);

  /// The probability of each score, in [0, 1].
  /// @throws InvalidArgument for no scores and such as are not finite
  [[nodiscard]] std::vector<double> probabilities(std::span<const double> scores) const;

  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  State state_;
};

template <FieldsOf<Calibration::State> T>
void for_each_field(T& s, auto&& use) {
  use("method", s.method);
  use("slope", s.slope);
  use("intercept", s.intercept);
  use("scores", s.scores);
  use("probabilities", s.probabilities);
}

/// The temperature by which logits of several classes are to be divided before a softmax, by
/// maximum likelihood (Guo et al. 2017); between 0.01, for logits that separate the classes without
/// an error, and 100.
///
/// @param logits shape (n, classes), finite, at least one row and two columns
/// @param labels of n rows, each in [0, classes)
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT double fit_temperature(MatrixView<double> logits,
                                                       std::span<const std::int64_t> labels);

}  // namespace secondlook
