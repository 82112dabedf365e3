#pragma once

#include <cstddef>
#include <cstdint>

namespace secondlook::detect {

/// Sum of the readings of an instant that are there. Missing ones are NaN.
struct RowSum {
  double sum;
  std::size_t count;
};
template <class Scalar>
[[nodiscard]] RowSum row_sum(const Scalar* readings, std::size_t n);

/// Sum of squared distances from `centre` of those that are there.
template <class Scalar>
[[nodiscard]] double row_squares(const Scalar* readings, std::size_t n, double centre);

/// Writes the places at which (reading − centre) · factor is above `trigger`, or is missing, to
/// `places` (room for n) and returns how many there are.
/// @param magnitude whether the sign is dropped first
template <class Scalar>
[[nodiscard]] std::size_t row_events(const Scalar* readings, std::size_t n, double centre,
                                     double factor, bool magnitude, const double* trigger,
                                     std::uint32_t* places);

}  // namespace secondlook::detect
