#pragma once

#include <cstddef>
#include <cstdint>

namespace secondlook::detect {

/// Sums over the readings of an instant that are there, as distances from a reading of that
/// instant.
struct Moments {
  double sum = 0;
  double squares = 0;
  std::size_t count = 0;
};

/// Of all readings: not finite where one is missing (NaN).
template <class Scalar>
[[nodiscard]] Moments moments_of_all(const Scalar* readings, std::size_t n, double origin);

/// Of those that are there.
template <class Scalar>
[[nodiscard]] Moments moments_of_present(const Scalar* readings, std::size_t n, double origin);

/// Writes the places at which (reading − centre) · factor is above `trigger`, or is missing, to
/// `places` (room for n) and returns how many there are.
/// @param magnitude whether the sign is dropped first
/// @param next readings of the next instant, to be fetched from memory meanwhile; may be null
template <class Scalar>
[[nodiscard]] std::size_t row_events(const Scalar* readings, std::size_t n, double centre,
                                     double factor, bool magnitude, const double* trigger,
                                     std::uint32_t* places, const Scalar* next);

}  // namespace secondlook::detect
