#pragma once

#include <cmath>
#include <cstddef>

#include "core/validation.hpp"

namespace secondlook::detect {

/// Checks the parameters that the training of every network has.
/// @throws InvalidArgument with `who`, the class, in its message
template <class Parameters>
void require_training_parameters(const char* who, const Parameters& p,
                                 std::size_t smallest_batch_size) {
  constexpr std::size_t kLargestCount = std::size_t{1} << 30;
  require(p.dropout >= 0 && p.dropout < 1, "{}: dropout must lie in [0, 1), got {}", who,
          p.dropout);
  require(p.learning_rate > 0 && std::isfinite(p.learning_rate),
          "{}: learning_rate must be above 0, got {}", who, p.learning_rate);
  require(p.weight_decay >= 0 && std::isfinite(p.weight_decay),
          "{}: weight_decay must be at least 0, got {}", who, p.weight_decay);
  require(p.batch_size >= smallest_batch_size && p.batch_size <= kLargestCount,
          "{}: batch_size must lie in [{}, {}], got {}", who, smallest_batch_size, kLargestCount,
          p.batch_size);
  require(p.max_epochs >= 1 && p.max_epochs <= kLargestCount,
          "{}: max_epochs must lie in [1, {}], got {}", who, kLargestCount, p.max_epochs);
  require(p.patience >= 1, "{}: patience must be at least 1, got {}", who, p.patience);
  require(p.validation_fraction >= 0 && p.validation_fraction <= 0.5,
          "{}: validation_fraction must lie in [0, 0.5], got {}", who, p.validation_fraction);
  require(p.contamination > 0 && p.contamination <= 0.5,
          "{}: contamination must lie in (0, 0.5], got {}", who, p.contamination);
}

}  // namespace secondlook::detect
