#pragma once

#include <cstddef>
#include <functional>

#include "secondlook/core/export.hpp"
#include "secondlook/core/progress.hpp"

namespace secondlook {

/// Number of threads for a request, as scikit-learn reads `n_jobs`: n > 0 is n, −1 all processors
/// this process may use, −2 all but one.
///
/// 0 leaves the number to the first of these that is set: `SECONDLOOK_NUM_THREADS`,
/// `OMP_NUM_THREADS` (by which joblib limits its workers), else all processors this process may
/// use: the least of its affinity, its container's CPU quota and `LOKY_MAX_CPU_COUNT`.
/// @throws InvalidArgument when `SECONDLOOK_NUM_THREADS` is not a positive number
[[nodiscard]] SECONDLOOK_EXPORT std::size_t resolve_threads(int n_jobs);

/// Calls `work(begin, end)` on pieces that cover [0, n_items), of at most `grain` items each, on up
/// to `n_threads` threads of the library's one pool; the caller is one of them.
///
/// Pieces start in order but end in any: work must not depend on which thread runs it. The first
/// exception stops the rest and reaches the caller. Called from inside such work it runs inline.
/// Safe to call from several threads, and in a child after fork.
/// @throws Cancelled when `progress` asks to stop
SECONDLOOK_EXPORT void parallel_for(std::size_t n_items, std::size_t grain, std::size_t n_threads,
                                    const std::function<void(std::size_t, std::size_t)>& work,
                                    const Progress& progress = {});

}  // namespace secondlook
