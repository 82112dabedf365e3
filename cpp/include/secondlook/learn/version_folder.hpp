#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook {

/// Versions of a model in a folder: `version-000001.safetensors` and so on.
///
/// The newest intact file is the current version; there is no other record. So a program that is
/// killed at any moment, or a power cut, leaves either the previous version or the new one, and
/// damaged files are skipped. Other files in the folder are not touched. Several processes may read
/// at the same time; a process that writes locks the folder. Not thread-safe.
class SECONDLOOK_EXPORT VersionFolder {
 public:
  /// Creates the folder if it does not exist; its parent must exist.
  /// @throws FileError if it cannot be created or is not a folder
  explicit VersionFolder(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Numbers of the versions, ascending. Damaged ones are included.
  /// @throws FileError
  [[nodiscard]] std::vector<std::uint64_t> numbers() const;

  [[nodiscard]] std::filesystem::path file_of(std::uint64_t number) const;

  /// @throws FileError, ModelFileError see `ModelFile::read`
  [[nodiscard]] ModelFile read(std::uint64_t number) const;

  /// The newest intact version; none in a new folder.
  /// @throws FileError
  [[nodiscard]] std::optional<std::pair<std::uint64_t, ModelFile>> newest_whole() const;

  /// Writes a version atomically, replacing the one of the same number, and removes partial files
  /// of writers that were killed.
  /// @param newest_known the highest number that the caller knows of; 0: none
  /// @throws FileError if it cannot be written, or another program has added a version meanwhile;
  ///   the folder is then unchanged
  void write(std::uint64_t number, const ModelFile& file, std::uint64_t newest_known) const;

  /// Removes all but the newest `n_kept` versions. Files that cannot be removed are kept.
  void prune(std::size_t n_kept) const;

 private:
  std::filesystem::path path_;
};

}  // namespace secondlook
