#pragma once

#include <cstddef>

namespace secondlook::detect {

/// Least sum of squared differences between the last samples and `n_windows` earlier ones.
///
/// @param values where the earlier samples lie
/// @param starts of each of the last samples: where in `values` its counterpart of
///   window 0 is; those of the others follow
/// @param samples the last, newest first
/// @param width how many they are
/// @param nearest in: which window to try first; out: the nearest
[[nodiscard]] double nearest_window(const double* values, const std::size_t* starts,
                                    const double* samples, std::size_t width, std::size_t n_windows,
                                    std::size_t& nearest);

}  // namespace secondlook::detect
