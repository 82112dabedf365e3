#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace secondlook::detect {

/// Sensors are taken in groups of 64, a group in 8 classes: sensor i belongs to class i mod 8 of
/// group i / 64, place 8 · (i / 64) + i mod 8 among all classes.
inline constexpr std::size_t kPeerGroup = 64;
inline constexpr std::size_t kPeerClasses = 8;

[[nodiscard]] constexpr std::size_t peer_groups(std::size_t n) {
  return (n + kPeerGroup - 1) / kPeerGroup;
}
[[nodiscard]] constexpr std::size_t peer_class(std::size_t sensor) {
  return sensor / kPeerGroup * kPeerClasses + sensor % kPeerClasses;
}

/// Sums over the readings of an instant that are there, as distances from a reading of that
/// instant.
struct Moments {
  double sum = 0;
  double squares = 0;
  std::size_t count = 0;
};

/// The lowest and the highest reading of each class; NaN for a class in which one is missing.
struct PeerExtremes {
  explicit PeerExtremes(std::size_t n)
      : lowest(peer_groups(n) * kPeerClasses), highest(peer_groups(n) * kPeerClasses) {}

  std::vector<double> lowest;
  std::vector<double> highest;
};

/// Of all readings: not finite where one is missing (NaN), and the extremes are then of no use.
template <class Scalar>
[[nodiscard]] Moments moments_of_all(std::span<const Scalar> readings, double origin,
                                     PeerExtremes& extremes);

/// Of those that are there.
template <class Scalar>
[[nodiscard]] Moments moments_of_present(std::span<const Scalar> readings, double origin,
                                         PeerExtremes& extremes);

/// What (reading − centre) · factor is held against, without its sign where `magnitude`.
struct PeerScale {
  double centre;
  double factor;
  bool magnitude;
};

/// The next instant, whose readings come from memory while this one's are judged.
template <class Scalar>
struct PeerAhead {
  const Scalar* readings;
  double origin;
  PeerExtremes& extremes;
  Moments moments{};  ///< as `moments_of_all` finds them
};

/// Writes the sensors whose reading is above their trigger, or missing, to `indices` (room for all)
/// and returns how many there are.
/// @param trigger a value a sensor
/// @param least_trigger least of them in each class
/// @param ahead may be null
template <class Scalar>
[[nodiscard]] std::size_t row_events(std::span<const Scalar> readings, const PeerScale& scale,
                                     const PeerExtremes& extremes, const double* trigger,
                                     const double* least_trigger, std::uint32_t* indices,
                                     PeerAhead<Scalar>* ahead);

}  // namespace secondlook::detect
