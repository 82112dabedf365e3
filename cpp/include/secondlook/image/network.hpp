#pragma once

#include <cstddef>
#include <cstdint>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Mean squared error before the first step of a training and after its last.
struct TrainingLoss {
  double first = 0;
  double last = 0;
};

/// Trains two linear layers with a rectifier between them on random data, by Adam: shows that
/// LibTorch's layers, gradients and optimiser work in this build. The same seed gives the same
/// losses at a fixed thread count.
///
/// @throws InvalidArgument where a size is zero
[[nodiscard]] SECONDLOOK_EXPORT TrainingLoss train_small_network(std::size_t samples,
                                                                 std::size_t features,
                                                                 std::size_t hidden,
                                                                 std::size_t steps,
                                                                 std::uint64_t seed);

}  // namespace secondlook
