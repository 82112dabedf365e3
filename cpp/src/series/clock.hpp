#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/series/csv_reader.hpp"

namespace secondlook {

/// A plant's clock: from what it shows to UTC.
class Clock {
 public:
  /// How often a clock shows a time.
  enum class Shown { never, once, twice };

  struct Reading {
    Shown shown = Shown::once;
    std::int64_t offset_ns = 0;  ///< to subtract; before the change where shown twice
    std::size_t change = 0;      ///< index into `change`, where shown twice
    /// All times from `begin_ns` to before `end_ns` are shown once and have this offset; empty
    /// unless shown once.
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
  };

  /// A change by which the clock is put back.
  struct Change {
    std::int64_t before_ns = 0;  ///< offset until then
    std::int64_t after_ns = 0;   ///< offset from then on, smaller
    /// How long the clock shows times that it has shown before.
    [[nodiscard]] std::int64_t length_ns() const noexcept { return before_ns - after_ns; }
  };

  /// @param offsets at least one; each holds from its instant on, the first for all times before
  /// @throws InvalidArgument unless instants are more than two days apart, and offsets below one
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
