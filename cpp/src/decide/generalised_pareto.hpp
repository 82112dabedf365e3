#pragma once

#include <optional>
#include <span>

#include "secondlook/decide/peaks_over_threshold.hpp"

namespace secondlook::decide {

using Peak = PeaksOverThreshold::Peak;

/// P(excess > y) = (1 + shape · y / scale)^(−1 / shape); exponential if shape is 0.
struct GeneralisedPareto {
  double shape;
  double scale;
};

/// The value that an excess exceeds with the given probability, in (0, 1].
[[nodiscard]] double upper_quantile(const GeneralisedPareto& tail, double probability);

/// Fits the tail by maximum likelihood, reduced to one variable (Grimshaw 1993): with
/// x = shape / scale, the best shape for an x is Σ log(1 + x·y) / (number of uncensored peaks), so
/// the likelihood is maximised over x alone. If it has no maximum with a shape above −1, the method
/// of moments is used. Returns nothing if all excesses are equal, which do not determine a tail.
[[nodiscard]] std::optional<GeneralisedPareto> fit_generalised_pareto(std::span<const Peak> peaks);

}  // namespace secondlook::decide
