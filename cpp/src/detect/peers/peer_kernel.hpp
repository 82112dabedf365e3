#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace secondlook::detect {

/// Sensors form groups of 64, and each group 8 classes: sensor i belongs to class i mod 8 of group
/// i / 64, which has index 8 · (i / 64) + i mod 8 among all classes.
inline constexpr std::size_t kPeerGroup = 64;
inline constexpr std::size_t kPeerClasses = 8;

[[nodiscard]] constexpr std::size_t peer_groups(std::size_t n) {
  return (n + kPeerGroup - 1) / kPeerGroup;
}
[[nodiscard]] constexpr std::size_t peer_class(std::size_t sensor) {
  return sensor / kPeerGroup * kPeerClasses + sensor % kPeerClasses;
}

/// Sums over the present readings of an instant, as distances from a reading of that instant.
struct Moments {
  double sum = 0;
  double squares = 0;
  std::size_t count = 0;
};

/// Lowest and highest reading of each class; NaN for a class with a missing reading.
struct PeerExtremes {
  explicit PeerExtremes(std::size_t n)
      : lowest(peer_groups(n) * kPeerClasses), highest(peer_groups(n) * kPeerClasses) {}

  std::vector<double> lowest;
  std::vector<double> highest;
};

/// Moments of all readings. If one is missing (NaN), they are not finite and the extremes are
/// invalid.
template <class Scalar>
[[nodiscard]] Moments moments_of_all(std::span<const Scalar> readings, double origin,
                                     PeerExtremes& extremes);

/// Moments of the present readings.
template <class Scalar>
[[nodiscard]] Moments moments_of_present(std::span<const Scalar> readings, double origin,
                                         PeerExtremes& extremes);

/// Defines the ratio that is compared with a trigger: (reading − centre) · factor, or its absolute
/// value if `magnitude` is true.
struct PeerScale {
  double centre;
  double factor;
  bool magnitude;
};

/// The next instant, whose readings are fetched from memory while this one is judged.
template <class Scalar>
struct PeerAhead {
  const Scalar* readings;
  double origin;
  PeerExtremes& extremes;
  Moments moments{};  ///< as computed by `moments_of_all`
};

/// Writes the sensors whose ratio is above their trigger, or whose reading is missing, to `indices`
/// (a buffer with one element per sensor) and returns their number.
/// @param trigger one value per sensor
/// @param least_trigger smallest of them in each class
/// @param ahead may be null
template <class Scalar>
[[nodiscard]] std::size_t row_events(std::span<const Scalar> readings, const PeerScale& scale,
                                     const PeerExtremes& extremes, const double* trigger,
                                     const double* least_trigger, std::uint32_t* indices,
                                     PeerAhead<Scalar>* ahead);

}  // namespace secondlook::detect
