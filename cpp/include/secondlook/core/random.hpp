#pragma once

#include <cstdint>

namespace secondlook {

/// Random numbers by xoshiro256++ (Blackman & Vigna 2021), seeded through SplitMix64.
///
/// A stream is identified by a seed and a number. Work item i uses stream (seed, i), so results do
/// not depend on the number of threads or on which thread runs an item. The numbers are the same on
/// every platform. Not thread-safe; copies are independent.
class RandomStream {
 public:
  using result_type = std::uint64_t;  ///< usable with the algorithms of `<random>`

  explicit RandomStream(std::uint64_t seed, std::uint64_t stream = 0) noexcept {
    std::uint64_t x = mix(seed) + stream * 0x9e3779b97f4a7c15U;
    for (auto& word : state_) word = mix(x += 0x9e3779b97f4a7c15U);
  }

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return ~result_type{0}; }

  result_type operator()() noexcept {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1), 53 random bits.
  double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

  /// Uniform in {0, …, n − 1} without bias (Lemire 2019); n ≥ 1.
  std::uint64_t below(std::uint64_t n) noexcept {
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>((*this)()) * n;
    if (static_cast<std::uint64_t>(product) < n) {
      const std::uint64_t threshold = (0 - n) % n;
      while (static_cast<std::uint64_t>(product) < threshold)
        product = static_cast<Wide>((*this)()) * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int k) noexcept {
    return (x << k) | (x >> (64 - k));
  }
  static std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }

  std::uint64_t state_[4];
};

}  // namespace secondlook
