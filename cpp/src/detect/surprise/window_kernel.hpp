#pragma once

#include <cstddef>

namespace secondlook::detect {

/// Smallest sum of squared differences between the last samples and `n_windows` earlier windows.
///
/// @param values buffer of the earlier samples
/// @param starts for each of the last samples: the index in `values` of its counterpart in window
///   0; the counterparts in the other windows follow
/// @param samples the last samples, newest first
/// @param width their number
/// @param nearest on input the window to try first, on output the nearest one
[[nodiscard]] double nearest_window(const double* values, const std::size_t* starts,
                                    const double* samples, std::size_t width, std::size_t n_windows,
                                    std::size_t& nearest);

}  // namespace secondlook::detect
