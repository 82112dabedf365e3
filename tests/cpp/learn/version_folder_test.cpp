#include "secondlook/learn/version_folder.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "temporary_folder.hpp"

using secondlook::FileError;
using secondlook::ModelFile;
using secondlook::ModelFileError;
using secondlook::VersionFolder;

namespace fs = std::filesystem;

namespace {

ModelFile file_with(double value) {
  ModelFile file("test");
  file.add<double>("value", {1}, std::vector<double>{value});
  return file;
}

double value_of(const ModelFile& file) { return file.get<double>("value", {1})[0]; }

}  // namespace

TEST_CASE("VersionFolder: the newest intact version is the current one") {
  const TemporaryFolder temporary;
  const VersionFolder folder(temporary.path() / "versions");
  REQUIRE_FALSE(folder.newest_whole().has_value());
  for (std::uint64_t i = 1; i <= 3; ++i) folder.write(i, file_with(static_cast<double>(i)), i - 1);
  REQUIRE(folder.numbers() == std::vector<std::uint64_t>{1, 2, 3});
  REQUIRE(folder.newest_whole()->first == 3);

  const auto size = fs::file_size(folder.file_of(3));
  for (const auto kept : {size - 1, size / 2, std::uintmax_t{0}}) {
    fs::resize_file(folder.file_of(3), kept);
    REQUIRE(folder.newest_whole()->first == 2);
    REQUIRE(value_of(folder.newest_whole()->second) == 2);
  }
  REQUIRE_THROWS_AS(folder.read(3), ModelFileError);
  folder.write(3, file_with(33), 3);
  REQUIRE(value_of(folder.read(3)) == 33);
}

TEST_CASE("VersionFolder: the next write removes the files of a killed writer, and no others") {
  const TemporaryFolder temporary;
  const VersionFolder folder(temporary.path());
  const std::vector<std::string> foreign{"notes.txt", "version-x.safetensors",
                                         "version-000001.safetensors.bak", "version-.safetensors"};
  for (const auto& name : foreign) std::ofstream(temporary.path() / name) << "mine";
  std::ofstream(temporary.path() / "version-000002.safetensors.tmp-99-0") << "half";
  REQUIRE(folder.numbers().empty());
  folder.write(1, file_with(1), 0);
  REQUIRE_FALSE(fs::exists(temporary.path() / "version-000002.safetensors.tmp-99-0"));
  for (const auto& name : foreign) REQUIRE(fs::exists(temporary.path() / name));
}

TEST_CASE("VersionFolder: prunes the oldest versions") {
  const TemporaryFolder temporary;
  const VersionFolder folder(temporary.path());
  for (std::uint64_t i = 1; i <= 12; ++i) folder.write(i, file_with(0), i - 1);
  folder.prune(3);
  REQUIRE(folder.numbers() == std::vector<std::uint64_t>{10, 11, 12});
  folder.prune(5);
  REQUIRE(folder.numbers().size() == 3);
}

TEST_CASE("VersionFolder: does not overwrite versions that another program has added") {
  const TemporaryFolder temporary;
  const VersionFolder ours(temporary.path());
  const VersionFolder theirs(temporary.path());
  ours.write(1, file_with(1), 0);
  theirs.write(2, file_with(2), 1);
  REQUIRE_THROWS_AS(ours.write(2, file_with(3), 1), FileError);
  REQUIRE(value_of(ours.newest_whole()->second) == 2);
}

TEST_CASE("VersionFolder: rejects a path that is not a folder") {
  const TemporaryFolder temporary;
  std::ofstream(temporary.path() / "file") << "text";
  REQUIRE_THROWS_AS(VersionFolder(temporary.path() / "file"), FileError);
  REQUIRE_THROWS_AS(VersionFolder(temporary.path() / "absent" / "folder"), FileError);
}
