#pragma once

#include <cstddef>
#include <functional>

#include "secondlook/core/export.hpp"
#include "secondlook/core/progress.hpp"

namespace secondlook {

/// Number of threads for `n_jobs` with the meaning of scikit-learn: n > 0 is n, −1 all processors
/// available to this process, −2 all but one.
///
/// 0 uses the first of these that is set: `SECONDLOOK_NUM_THREADS`, then `OMP_NUM_THREADS` (by
/// which joblib limits its workers), otherwise all processors available to this process. These are
/// the smallest of its affinity, its container's CPU quota and `LOKY_MAX_CPU_COUNT`.
/// @throws InvalidArgument if `SECONDLOOK_NUM_THREADS` is not a positive number
[[nodiscard]] SECONDLOOK_EXPORT std::size_t resolve_threads(int n_jobs);

/// Calls `work(begin, end)` on pieces of at most `grain` items that cover [0, n_items), on up to
/// `n_threads` threads: the caller and threads of the library's pool.
///
/// Pieces start in order but may end in any order, and the result must not depend on which thread
/// runs a piece. The first exception stops the rest and reaches the caller. A call from inside
/// `work` runs inline. Safe to call from several threads, and in a child process after fork.
/// @throws Cancelled if `progress` asks to stop
SECONDLOOK_EXPORT void parallel_for(std::size_t n_items, std::size_t grain, std::size_t n_threads,
                                    const std::function<void(std::size_t, std::size_t)>& work,
                                    const Progress& progress = {});

}  // namespace secondlook
