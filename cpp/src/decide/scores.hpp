#pragma once

#include <cmath>
#include <span>
#include <string_view>

#include "core/validation.hpp"

namespace secondlook::decide {

/// Checks that there is at least one score and that all are finite; names the first that is not.
inline void require_scores(std::string_view who, std::span<const double> scores) {
  require(!scores.empty(), "{}: expected at least 1 score, got 0", who);
  for (std::size_t i = 0; i < scores.size(); ++i)
    require(std::isfinite(scores[i]), "{}: expected finite scores, got {} at index {}", who,
            scores[i], i);
}

}  // namespace secondlook::decide
