#pragma once

#include <chrono>
#include <cstddef>

#include "secondlook/core/error.hpp"
#include "secondlook/core/progress.hpp"

namespace secondlook {

/// Calls a progress callback from a tight loop, at most ten times per second.
class ThrottledProgress {
 public:
  ThrottledProgress(const Progress& progress, const char* who) : progress_(progress), who_(who) {}

  /// @throws Cancelled if the callback asks to stop
  void operator()(std::size_t done, std::size_t total) {
    if (!progress_) return;
    const auto now = Clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    if (!progress_(done, total)) throw Cancelled(std::string(who_) + ": cancelled");
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Progress& progress_;
  const char* who_;
  Clock::time_point next_ = Clock::now();
};

}  // namespace secondlook
