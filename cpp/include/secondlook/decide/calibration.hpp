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
///   (Platt 1999, in the formulation of Lin, Lin & Weng 2007). Two parameters: for small
///   calibration sets.
/// - `isotonic`: the non-decreasing least-squares fit (Zadrozny & Elkan 2002), linear between its
///   steps and constant outside. It can have any shape: for a thousand cases or more.
/// - `temperature`: 1 / (1 + exp(−s / T)) for scores that are logits (Guo et al. 2017). One
///   parameter; a logit of 0 remains ½.
enum class CalibrationMethod : std::uint8_t { platt, isotonic, temperature };
template <>
inline constexpr std::array<std::string_view, 3> names_of<CalibrationMethod>{"platt", "isotonic",
                                                                             "temperature"};

/// Probability of being abnormal, computed from a score of any kind. Immutable.
class SECONDLOOK_EXPORT Calibration {
 public:
  /// Fitted parameters; members that the method does not use are empty or 0.
  struct State {
    CalibrationMethod method = CalibrationMethod::platt;
    double slope = 0;
    double intercept = 0;
    std::vector<double> scores;         ///< knots of the isotonic function, strictly increasing
    std::vector<double> probabilities;  ///< values at these knots, never falling
  };

  /// Fits to labelled scores of samples that the detector was not trained on. O(n log n).
  /// @param scores higher is more abnormal; finite
  /// @param labels one per score; 1 is abnormal, 0 normal; at least one of each
  /// @throws InvalidArgument otherwise
  Calibration(CalibrationMethod method, std::span<const double> scores,
              std::span<const std::uint8_t> labels);

  /// Restores a fitted calibration.
  /// @throws InvalidArgument if the state is inconsistent
  explicit Calibration(State state);

  /// Probability of each score, in [0, 1].
  /// @throws InvalidArgument if there is no score or one is not finite
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

/// Temperature by which multiclass logits are divided before the softmax, by maximum likelihood
/// (Guo et al. 2017); between 0.01 (for logits that separate the classes without error) and 100.
///
/// @param logits shape (n, classes), finite, at least one row and two columns
/// @param labels class index of each row, in [0, classes)
/// @throws InvalidArgument otherwise
[[nodiscard]] SECONDLOOK_EXPORT double fit_temperature(MatrixView<double> logits,
                                                       std::span<const std::int64_t> labels);

}  // namespace secondlook
