#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace secondlook::detect {

/// Finds the distance of the last samples of a stream from the nearest window of its past.
///
/// It compares windows that end `width` to `memory` samples ago, at every `width` / 8 samples, so
/// that none overlaps the last window.
class NearestWindow {
 public:
  NearestWindow(std::size_t width, std::size_t memory);

  void push(double sample);

  /// Root mean squared distance of the last samples to the nearest window before them; infinite if
  /// there is none. The result equals that of a full comparison with all windows.
  /// @param last the last `width` samples, oldest first; NaN values are ignored, and at least one
  ///   must not be NaN
  [[nodiscard]] double distance(std::span<const double> last);

  /// The last memory + width samples, or fewer if there are fewer; oldest first.
  [[nodiscard]] std::vector<double> samples() const;

  [[nodiscard]] std::size_t width() const { return width_; }

 private:
  // Position of a sample in the buffer. Samples whose indices differ by a multiple of the stride
  // are adjacent, so that windows a stride apart are compared with contiguous values.
  struct Position {
    std::size_t phase;
    std::size_t slot;
  };
  [[nodiscard]] Position before(Position position) const;
  [[nodiscard]] Position before(Position position, std::size_t n_samples) const;

  std::size_t width_;
  std::size_t memory_;
  std::size_t stride_;
  std::size_t per_phase_;
  std::vector<double> values_;  // one ring buffer per phase, stored twice
  // For one distance: the samples compared, newest first, and the offsets of their counterparts.
  std::vector<double> compared_;
  std::vector<std::size_t> starts_;
  std::int64_t count_ = 0;
  Position newest_;
  std::size_t nearest_ = 0;  // result of the last call, often the nearest again
};

}  // namespace secondlook::detect
