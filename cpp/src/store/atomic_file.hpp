#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace secondlook {

/// Makes `pieces`, one after another, the contents of the file at `path`, as one step.
///
/// Written to a new file in the same folder, brought to the disk, then renamed. The permissions of
/// a file that was there are kept.
/// @throws FileError when any step fails; the old file is then untouched and the new one removed
void write_atomically(const std::filesystem::path& path,
                      std::span<const std::span<const std::byte>> pieces);

}  // namespace secondlook
