#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/series/csv_reader.hpp"

namespace secondlook {

/// Clock of a plant: converts local times to UTC.
class Clock {
 public:
  /// How often a clock shows a time.
  enum class Shown { never, once, twice };

  struct Reading {
    Shown shown = Shown::once;
    std::int64_t offset_ns = 0;  ///< to subtract; if shown twice, the offset before the change
    std::size_t change = 0;      ///< index for `change()`, if shown twice
    /// All times in [`begin_ns`, `end_ns`) are shown once and have this offset. Empty unless shown
    /// once.
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
  };

  /// A change that sets the clock back.
  struct Change {
    std::int64_t before_ns = 0;  ///< offset before the change
    std::int64_t after_ns = 0;   ///< offset after the change, which is smaller
    /// Duration of the times that the clock shows twice.
    [[nodiscard]] std::int64_t length_ns() const noexcept { return before_ns - after_ns; }
  };

  /// @param offsets at least one; each holds from its instant on, and the first also before it
  /// @throws InvalidArgument unless changes are more than two days apart and offsets below one day
  explicit Clock(std::span<const ClockOffset> offsets);

  [[nodiscard]] Reading read(std::int64_t local_ns) const noexcept;
  [[nodiscard]] Change change(std::size_t index) const noexcept {
    return {offsets_[index].offset_ns, offsets_[index + 1].offset_ns};
  }

 private:
  [[nodiscard]] bool holds(std::size_t i, std::int64_t utc_ns) const noexcept;

  std::vector<ClockOffset> offsets_;
};

}  // namespace secondlook
