#include "store/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "core/validation.hpp"

namespace secondlook {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* step, int code) {
  throw FileError("cannot write '" + path.string() + "': " + step + ": " + std::strerror(code));
}

// The file that is being written. The destructor closes it, and removes it unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) : target_(target) {
    static std::atomic<unsigned> counter{0};
    constexpr int kAttempts = 100;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      path_ = target;
      path_ += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ >= 0 || errno != EEXIST) break;
    }
    if (descriptor_ < 0) fail(target_, "create a temporary file next to it", errno);
  }

  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!renamed_) ::unlink(path_.c_str());
  }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void take_permissions() {
    struct stat old{};
    if (::stat(target_.c_str(), &old) != 0) return;
    if (!S_ISREG(old.st_mode)) fail(target_, "replace it", EISDIR);
    if (::fchmod(descriptor_, old.st_mode & 07777) != 0) fail(target_, "keep permissions", errno);
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(target_, "write", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  void become_target() {
    if (::fsync(descriptor_) != 0) fail(target_, "flush to disk", errno);
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail(target_, "close", errno);
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(target_, "rename", errno);
    renamed_ = true;
  }

 private:
  const std::filesystem::path& target_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

// Without this, the rename itself may be lost in a power failure. Some file systems do not support
// it; the file is complete nevertheless.
void sync_folder(const std::filesystem::path& target) {
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void write_atomically(const std::filesystem::path& path,
                      std::span<const std::span<const std::byte>> pieces) {
  TemporaryFile file(path);
  file.take_permissions();
  for (const auto piece : pieces) file.write(piece);
  file.become_target();
  sync_folder(path);
}

}  // namespace secondlook
