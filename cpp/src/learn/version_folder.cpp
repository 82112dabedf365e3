#include "secondlook/learn/version_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr std::string_view kPrefix = "version-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::size_t kMaxDigits = 18;  // such numbers fit into 64 bits

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= kMaxDigits &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Number in the file name of a version, or, if `half_written`, of a temporary file that an
// interrupted `write` has left.
std::optional<std::uint64_t> number_in(std::string_view name, bool half_written) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const std::size_t end = name.find('.');
  if (end == std::string_view::npos || !is_number(name.substr(0, end))) return std::nullopt;
  const std::string_view rest = name.substr(end);
  const bool matches =
      half_written ? rest.starts_with(std::string(kSuffix) + ".tmp-") : rest == kSuffix;
  if (!matches) return std::nullopt;
  return std::stoull(std::string(name.substr(0, end)));
}

template <class Use>
void for_each_name(const std::filesystem::path& folder, const Use& use) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    use(entry->path().filename().string());
  require<FileError>(!error, "VersionFolder: cannot read the folder '{}': {}", folder.string(),
                     error.message());
}

// The lock is released when its process ends, even if that is killed.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    require<FileError>(descriptor_ >= 0, "VersionFolder: cannot open the folder '{}': {}",
                       folder.string(), std::strerror(errno));
    // If the file system does not support locks, the check of the newest number still protects.
    while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace

VersionFolder::VersionFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directory(path_, error);
  require<FileError>(std::filesystem::is_directory(path_),
                     "VersionFolder: cannot use '{}' as a folder: {}", path_.string(),
                     error ? error.message() : "it exists and is not a folder");
}

std::vector<std::uint64_t> VersionFolder::numbers() const {
  std::vector<std::uint64_t> found;
  for_each_name(path_, [&](const std::string& name) {
    if (const auto number = number_in(name, false)) found.push_back(*number);
  });
  std::ranges::sort(found);
  return found;
}

std::filesystem::path VersionFolder::file_of(std::uint64_t number) const {
  return path_ / fmt::format("{}{:06}{}", kPrefix, number, kSuffix);
}

ModelFile VersionFolder::read(std::uint64_t number) const {
  const auto file = file_of(number);
  try {
    return ModelFile::read(file);
  } catch (const ModelFileError& error) {
    throw ModelFileError("'" + file.string() + "': " + error.what());
  }
}

std::optional<std::pair<std::uint64_t, ModelFile>> VersionFolder::newest_whole() const {
  auto candidates = numbers();
  for (; !candidates.empty(); candidates.pop_back()) {
    try {
      return std::pair(candidates.back(), read(candidates.back()));
    } catch (const ModelFileError&) {
      continue;  // truncated or damaged: the previous version counts
    }
  }
  return std::nullopt;
}

void VersionFolder::write(std::uint64_t number, const ModelFile& file,
                          std::uint64_t newest_known) const {
  const FolderLock lock(path_);
  const auto existing = numbers();
  const std::uint64_t newest = existing.empty() ? 0 : existing.back();
  require<FileError>(newest <= newest_known,
                     "'{}': expected version {} to be the newest, got {}: another program has "
                     "added a version; open the folder again",
                     path_.string(), newest_known, newest);
  // Writers hold the lock, so any half-written file was left by a writer that was killed.
  std::vector<std::string> leftovers;
  for_each_name(path_, [&](const std::string& name) {
    if (number_in(name, true)) leftovers.push_back(name);
  });
  std::error_code ignored;
  for (const auto& name : leftovers) std::filesystem::remove(path_ / name, ignored);
  file.write(file_of(number));
}

void VersionFolder::prune(std::size_t n_kept) const {
  const auto existing = numbers();
  std::error_code ignored;
  for (std::size_t i = 0; i + n_kept < existing.size(); ++i)
    std::filesystem::remove(file_of(existing[i]), ignored);
}

}  // namespace secondlook
