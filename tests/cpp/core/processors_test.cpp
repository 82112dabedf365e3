#include "core/processors.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "catch.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "temporary_folder.hpp"

using secondlook::cpu_quota;
using secondlook::resolve_threads;

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

// Sets an environment variable for the duration of a test; nullptr unsets it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("cpu_quota: version 2 uses the lowest limit of all ancestors") {
  const TemporaryFolder folder;
  const auto mount = folder.path() / "mount";
  write(folder.path() / "cgroup", "0::/docker/abc/worker\n");
  REQUIRE_FALSE(cpu_quota(folder.path() / "cgroup", mount).has_value());
  write(mount / "docker/abc/cpu.max", "150000 100000\n");
  write(mount / "docker/abc/worker/cpu.max", "max 100000\n");
  REQUIRE(cpu_quota(folder.path() / "cgroup", mount) == 1.5);
  write(mount / "cpu.max", "50000 100000\n");
  REQUIRE(cpu_quota(folder.path() / "cgroup", mount) == 0.5);
}

TEST_CASE("cpu_quota: inside a container the mount point is the group") {
  const TemporaryFolder folder;
  write(folder.path() / "cgroup", "0::/\n");
  write(folder.path() / "mount/cpu.max", "400000 100000\n");
  REQUIRE(cpu_quota(folder.path() / "cgroup", folder.path() / "mount") == 4.0);
}

TEST_CASE("cpu_quota: version 1, with its controllers mounted together or separately") {
  const TemporaryFolder folder;
  const auto name = GENERATE("cpu,cpuacct", "cpu");
  const auto mount = folder.path() / "mount";
  write(folder.path() / "cgroup", "5:memory:/\n4:cpu,cpuacct:/pod\n1:cpuset:/\n");
  write(mount / name / "pod/cpu.cfs_period_us", "100000\n");
  write(mount / name / "pod/cpu.cfs_quota_us", "-1\n");
  REQUIRE_FALSE(cpu_quota(folder.path() / "cgroup", mount).has_value());
  write(mount / name / "pod/cpu.cfs_quota_us", "200000\n");
  REQUIRE(cpu_quota(folder.path() / "cgroup", mount) == 2.0);
}

TEST_CASE("cpu_quota: unreadable or invalid files mean no limit") {
  const TemporaryFolder folder;
  REQUIRE_FALSE(cpu_quota(folder.path() / "none", folder.path()).has_value());
  write(folder.path() / "cgroup", "nonsense\n\n0:\n:::\n0::/\n");
  write(folder.path() / "cpu.max", "a lot\n");
  REQUIRE_FALSE(cpu_quota(folder.path() / "cgroup", folder.path()).has_value());
}

TEST_CASE(
    "resolve_threads: uses secondlook's variable, then OpenMP's, then the number of processors") {
  const Variable none("SECONDLOOK_NUM_THREADS", nullptr);
  const Variable no_openmp("OMP_NUM_THREADS", nullptr);
  const Variable no_loky("LOKY_MAX_CPU_COUNT", nullptr);
  const std::size_t all = resolve_threads(-1);
  REQUIRE(resolve_threads(-1000) == 1);
  REQUIRE(resolve_threads(0) == all);
  {
    const Variable nonsense("OMP_NUM_THREADS",
                            "many");  // not secondlook's variable, so not an error
    REQUIRE(resolve_threads(0) == all);
  }
  const Variable openmp("OMP_NUM_THREADS", "3,2");
  REQUIRE(resolve_threads(0) == 3);
  REQUIRE(resolve_threads(-1) == all);
  REQUIRE(resolve_threads(5) == 5);
  {
    const Variable ours("SECONDLOOK_NUM_THREADS", "7");
    REQUIRE(resolve_threads(0) == 7);
  }
  {
    const Variable nonsense("SECONDLOOK_NUM_THREADS", GENERATE("many", "0", "2,3"));
    REQUIRE_THROWS_WITH(resolve_threads(0),
                        Catch::Matchers::StartsWith(
                            "SECONDLOOK_NUM_THREADS: expected a positive number of threads"));
  }
  const Variable empty("SECONDLOOK_NUM_THREADS", "");
  REQUIRE(resolve_threads(0) == 3);
}

TEST_CASE("resolve_threads: loky's limit caps the number of processors") {
  const Variable none("SECONDLOOK_NUM_THREADS", nullptr);
  const Variable no_openmp("OMP_NUM_THREADS", nullptr);
  const Variable one("LOKY_MAX_CPU_COUNT", "1");
  REQUIRE(resolve_threads(0) == 1);
  REQUIRE(resolve_threads(-1) == 1);
}
