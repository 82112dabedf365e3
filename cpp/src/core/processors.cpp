#include "core/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace secondlook {

namespace {

namespace fs = std::filesystem;

std::size_t processors_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  return std::max(1U, std::thread::hardware_concurrency());
}

// Version 2: "quota period" or "max period", in µs.
std::optional<double> limit_of_version_2(const fs::path& folder) {
  std::ifstream stream(folder / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(stream >> quota >> period) || period <= 0 || quota == "max") return std::nullopt;
  return std::strtod(quota.c_str(), nullptr) / period;
}

// Version 1: a quota of -1 means no limit.
std::optional<double> limit_of_version_1(const fs::path& folder) {
  double quota = 0;
  double period = 0;
  if (!(std::ifstream(folder / "cpu.cfs_quota_us") >> quota)) return std::nullopt;
  if (!(std::ifstream(folder / "cpu.cfs_period_us") >> period)) return std::nullopt;
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

// Lowest limit of a group and its ancestors. Inside a container the path of the group may be that
// of the host, which does not exist there; the mount itself is then the container's group.
template <class LimitOf>
std::optional<double> least_limit(const fs::path& mount, std::string_view group,
                                  const LimitOf& limit_of) {
  std::optional<double> least;
  fs::path path = fs::path(group).relative_path();
  for (;;) {
    if (const auto limit = limit_of(mount / path)) least = least ? std::min(*least, *limit) : limit;
    if (path.empty()) return least;
    path = path.parent_path();
  }
}

bool lists_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& membership, const fs::path& mount) {
  std::ifstream stream(membership);
  for (std::string line; std::getline(stream, line);) {  // such as "0::/group", "4:cpu,cpuacct:/"
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string_view controllers(line.data() + first + 1, second - first - 1);
    const std::string_view group(line.data() + second + 1);
    if (controllers.empty()) {
      if (const auto limit = least_limit(mount, group, limit_of_version_2)) return limit;
    } else if (lists_cpu(controllers)) {
      for (const fs::path& folder : {mount / std::string(controllers), mount / "cpu"})
        if (const auto limit = least_limit(folder, group, limit_of_version_1)) return limit;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> positive_number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  std::string_view setting(text);
  setting = setting.substr(0, setting.find(','));
  std::size_t number = 0;
  const char* end = setting.data() + setting.size();
  const auto [rest, code] = std::from_chars(setting.data(), end, number);
  if (code != std::errc{} || rest != end || number == 0) return std::nullopt;
  return number;
}

std::size_t available_processors() {
  // Read once, because each call of a detector asks for it, and reading files may take longer than
  // the work.
  static const std::optional<double> quota = cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  std::size_t n = processors_of_affinity();
  if (quota) n = std::min(n, static_cast<std::size_t>(std::max(1.0, std::ceil(*quota))));
  return std::min(n, positive_number_in("LOKY_MAX_CPU_COUNT").value_or(n));
}

}  // namespace secondlook
