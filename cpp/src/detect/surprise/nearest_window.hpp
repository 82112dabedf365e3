#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace secondlook::detect {

/// How far the last samples of a stream are from the nearest window of its past.
///
/// Compared are windows that end `width` to `memory` samples ago, every `width` / 8 samples, so
/// that none overlaps the last one.
class NearestWindow {
 public:
  NearestWindow(std::size_t width, std::size_t memory);

  void push(double sample);

  /// Root mean squared distance of the last samples to the nearest window before them; infinite
  /// where there is none. The same as by comparing all of them in full.
  /// @param last the last `width` samples, oldest first; compared are those that are not NaN, of
  ///   which there must be one
  [[nodiscard]] double distance(std::span<const double> last);

  /// The last memory + width samples, or as many as there are; oldest first.
  [[nodiscard]] std::vector<double> samples() const;

  [[nodiscard]] std::size_t width() const { return width_; }

 private:
  // Where a sample lies: samples whose indices differ by a multiple of the stride stand next to one
  // another, so that what windows a stride apart compare with is contiguous.
  struct Place {
    std::size_t phase;
    std::size_t slot;
  };
  [[nodiscard]] Place before(Place place) const;
  [[nodiscard]] Place before(Place place, std::size_t n_samples) const;

  std::size_t width_;
  std::size_t memory_;
  std::size_t stride_;
  std::size_t per_phase_;
  std::vector<double> values_;  // of each phase a ring, written twice
  // Of one distance: the samples compared, newest first, and where their counterparts begin.
  std::vector<double> compared_;
  std::vector<std::size_t> starts_;
  std::int64_t count_ = 0;
  Place newest_;
  std::size_t nearest_ = 0;  // where the nearest was last time, for it often still is
};

}  // namespace secondlook::detect
