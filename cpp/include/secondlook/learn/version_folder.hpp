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
/// There is no other record: the newest file that reads whole is the current version. So a program
/// that is killed at any moment, or a power cut, leaves the version before or the one after, and a
/// damaged file is passed over. Other files in the folder are left alone. Several processes may
/// read; one that writes holds a lock on the folder meanwhile. Not thread-safe.
class SECONDLOOK_EXPORT VersionFolder {
 public:
  /// Creates the folder if there is none; its parent must be there.
  /// @throws FileError when it cannot be created or is no folder
  explicit VersionFolder(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Numbers of the versions, ascending; whether they are whole is not known yet.
  /// @throws FileError
  [[nodiscard]] std::vector<std::uint64_t> numbers() const;

  [[nodiscard]] std::filesystem::path file_of(std::uint64_t number) const;

  /// @throws FileError, ModelFileError as `ModelFile::read`
  [[nodiscard]] ModelFile read(std::uint64_t number) const;

  /// The newest version that reads whole, passing over what does not; none in a new folder.
  /// @throws FileError
  [[nodiscard]] std::optional<std::pair<std::uint64_t, ModelFile>> newest_whole() const;

  /// Writes a version as one step, replacing that of the same number, and removes what a killed
  /// writer left half written.
  /// @param newest_known the highest number that the caller knows to be there; 0: none
  /// @throws FileError when it cannot be written, or another program has added a version
  ///   meanwhile; the folder is then as before
  void write(std::uint64_t number, const ModelFile& file, std::uint64_t newest_known) const;

  /// Removes all but the newest `n_kept` versions; what cannot be removed stays.
  void prune(std::size_t n_kept) const;

 private:
  std::filesystem::path path_;
};

}  // namespace secondlook
