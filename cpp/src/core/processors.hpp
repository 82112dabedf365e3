#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace secondlook {

/// Number of processors available to this process: the smallest of its affinity, the CPU quota of
/// its control group (a container's limit, rounded up) and `LOKY_MAX_CPU_COUNT`.
[[nodiscard]] std::size_t available_processors();

/// CPU quota of the control group of this process, or the lowest of its ancestors, in CPUs.
///
/// Reads version 2 (`cpu.max`) and version 1 (`cpu.cfs_quota_us`) of Linux control groups.
/// @param membership such as `/proc/self/cgroup`
/// @param mount such as `/sys/fs/cgroup`
/// @returns nullopt if there is no limit
[[nodiscard]] std::optional<double> cpu_quota(const std::filesystem::path& membership,
                                              const std::filesystem::path& mount);

/// Value of an environment variable as a positive integer. Of several numbers separated by commas,
/// as OpenMP allows, it is the first. Returns nullopt if the variable is unset or invalid.
[[nodiscard]] std::optional<std::size_t> positive_number_in(const char* variable);

}  // namespace secondlook
