#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace secondlook {

/// Atomically replaces the contents of the file at `path` by the concatenated `pieces`.
///
/// They are written to a new file in the same folder, which is flushed to disk and then renamed.
/// The permissions of an existing file are kept.
/// @throws FileError if any step fails; the old file is then unchanged and the new one removed
void write_atomically(const std::filesystem::path& path,
                      std::span<const std::span<const std::byte>> pieces);

}  // namespace secondlook
