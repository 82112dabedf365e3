#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace secondlook {

/// Processors this process may use: its affinity, the CPU quota of its control group (a container's
/// limit; a fraction counts as one more), and `LOKY_MAX_CPU_COUNT`, whichever is least.
[[nodiscard]] std::size_t available_processors();

/// CPUs that the control group of this process, or one above it, may use at a time.
///
/// Reads version 2 (`cpu.max`) and version 1 (`cpu.cfs_quota_us`) of Linux' control groups.
/// @param membership such as `/proc/self/cgroup`
/// @param mount such as `/sys/fs/cgroup`
/// @returns nullopt where there is no limit
[[nodiscard]] std::optional<double> cpu_quota(const std::filesystem::path& membership,
                                              const std::filesystem::path& mount);

/// What a variable of the environment says as a positive whole number, or the first of several
/// separated by commas, as OpenMP allows; nullopt where it is unset or says something else.
[[nodiscard]] std::optional<std::size_t> positive_number_in(const char* variable);

}  // namespace secondlook
