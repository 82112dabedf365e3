#pragma once

#include <cstdint>

#include "secondlook/core/random.hpp"

namespace secondlook::image {

/// What an image classifier draws random numbers for. The value is the number of the first stream,
/// for index 0; changing one changes the results of that seed.
///
/// `augment` has its own streams, of a seed that it draws from stream number `epoch`.
enum class RandomUse : std::uint64_t {
  weights = 0,                       ///< seed of the initial weights
  split = 1,                         ///< which groups are held out
  replay = 2,                        ///< which images are kept for replay
  update = std::uint64_t{1} << 19,   ///< seed of each `partial_fit`, per update
  dropout = std::uint64_t{1} << 20,  ///< seed of the dropout, per training step
  order = std::uint64_t{1} << 21,    ///< order of the images, per pass
  mixup = std::uint64_t{1} << 30     ///< fraction of the blend, per training step
};

/// Number of the stream for a use and an index below 2⁵⁰, 0 for uses without an index: different
/// for different arguments.
///
/// Small indices follow the first stream. Before they reach the first stream of the next use, the
/// numbers continue in a range far above all of these.
[[nodiscard]] constexpr std::uint64_t random_stream_number(RandomUse use,
                                                           std::uint64_t index = 0) noexcept {
  const auto first = static_cast<std::uint64_t>(use);
  const std::uint64_t n_consecutive = std::uint64_t{1} << (use == RandomUse::update ? 19 : 20);
  return index < n_consecutive ? first + index : (first << 32) + index;
}

/// The stream of a classifier's seed for a use.
[[nodiscard]] inline RandomStream random_stream(std::uint64_t seed, RandomUse use,
                                                std::uint64_t index = 0) noexcept {
  return RandomStream(seed, random_stream_number(use, index));
}

}  // namespace secondlook::image
