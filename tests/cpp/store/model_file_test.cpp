#include "secondlook/store/model_file.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "temporary_folder.hpp"

using secondlook::DataType;
using secondlook::InvalidArgument;
using secondlook::ModelFile;
using secondlook::ModelFileError;
using secondlook::Tensor;

namespace {

ModelFile small_file() {
  ModelFile file("isolation_forest");
  file.set_section("parameters", R"({"n_estimators": 100, "name": "Zelle \"1\" °C"})");
  file.set_section("feature_names", R"(["a", "b"])");
  const std::vector<double> thresholds = {1.5, -2.25, std::numeric_limits<double>::quiet_NaN()};
  const std::vector<std::uint8_t> features = {0, 1, 1};
  file.add("thresholds", {3}, std::span<const double>(thresholds));
  file.add("features", {1, 3}, std::span<const std::uint8_t>(features));
  file.add("nothing", {0, 5}, std::span<const float>());
  file.add("offset", Tensor{DataType::bf16, {}, std::vector<std::byte>(2)});
  return file;
}

ModelFile parse(const std::string& bytes) {
  return ModelFile::parse(std::as_bytes(std::span(bytes)));
}

std::string framed(const std::string& header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

bool found_or_harmless(const std::string& damaged, const ModelFile& file) {
  try {
    return parse(damaged) == file;
  } catch (const ModelFileError&) {
    return true;
  }
}

std::size_t n_entries(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

}  // namespace

TEST_CASE("ModelFile: what was written is read back") {
  const ModelFile file = small_file();
  REQUIRE(parse(file.serialize()) == file);
  REQUIRE(parse(file.serialize()).serialize() == file.serialize());
  const ModelFile empty("nothing_learned");
  REQUIRE(parse(empty.serialize()) == empty);
}

TEST_CASE("ModelFile: every tensor begins at a multiple of its element") {
  const std::string bytes = small_file().serialize();
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  REQUIRE(length % 8 == 0);
  double first = 0;
  std::memcpy(&first, bytes.data() + 8 + length, 8);
  REQUIRE(first == 1.5);
}

TEST_CASE("ModelFile: every truncated file is an error") {
  const std::string bytes = small_file().serialize();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    REQUIRE_THROWS_AS(parse(bytes.substr(0, n)), ModelFileError);
  }
  REQUIRE_THROWS_AS(parse(bytes + '\0'), ModelFileError);
}

TEST_CASE("ModelFile: every flipped bit is detected or harmless") {
  const ModelFile file = small_file();
  const std::string bytes = file.serialize();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    CAPTURE(bit / 8, bit % 8);
    REQUIRE(found_or_harmless(damaged, file));
  }
}

TEST_CASE("ModelFile: hostile headers end in an error") {
  const std::string document =
      R"("__metadata__":{"secondlook":"{\"checksum\":\"\",\"format_version\":1,\"kind\":\"k\",\"library_version\":\"1\"}"})";
  const std::string deep(100000, '[');
  const std::string header = GENERATE_COPY(
      std::string(""), std::string("[]"), std::string("{}"), std::string("null"),
      std::string("{\"a\":NaN}"), deep, "{\"a\":" + deep, std::string("{\"__metadata__\":1}"),
      std::string("{\"__metadata__\":{\"secondlook\":\"[[[\"}}"),
      std::string("{\"__metadata__\":{\"secondlook\":\"{}\"}}"), "{" + document + "}",
      "{" + document + "," + document + "}", std::string("\xff\xfe{}"));
  REQUIRE_THROWS_AS(parse(framed(header)), ModelFileError);
}

TEST_CASE("ModelFile: a length that no file can have") {
  const std::uint64_t length =
      GENERATE(std::uint64_t{1}, std::uint64_t{1} << 24, std::uint64_t{1} << 63, ~std::uint64_t{0},
               ~std::uint64_t{0} - 7);
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  REQUIRE_THROWS_AS(parse(bytes), ModelFileError);
}

TEST_CASE("ModelFile: get checks type and shape") {
  const ModelFile file = small_file();
  REQUIRE(file.get<double>("thresholds", {3})[1] == -2.25);
  REQUIRE(file.get<std::uint8_t>("features", {-1, 3}).size() == 3);
  REQUIRE(file.get<float>("nothing", {0, 5}).empty());
  REQUIRE_THROWS_WITH(file.get<float>("thresholds", {3}),
                      "tensor 'thresholds': expected F32 of shape (3), got F64 of shape (3)");
  REQUIRE_THROWS_WITH(file.get<std::uint8_t>("features", {-1, 4}),
                      "tensor 'features': expected U8 of shape (any, 4), got U8 of shape (1, 3)");
  REQUIRE_THROWS_AS(file.get<double>("thresholds", {3, 1}), ModelFileError);
  REQUIRE_THROWS_WITH(file.get<double>("absent", {1}),
                      "a model of kind 'isolation_forest' lacks the tensor 'absent'");
  REQUIRE_THROWS_AS(file.section("decision"), ModelFileError);
}

TEST_CASE("ModelFile: content that cannot be written is an error when it is added") {
  ModelFile file = small_file();
  const std::vector<float> values(4);
  const std::span<const float> four(values);
  REQUIRE_THROWS_AS(file.add("x", {5}, four), InvalidArgument);
  REQUIRE_THROWS_AS(file.add("x", {-2, -2}, four), InvalidArgument);
  REQUIRE_THROWS_AS(file.add("x", {std::int64_t{1} << 62, 4, 4}, four), InvalidArgument);
  REQUIRE_THROWS_AS(file.add("x", std::vector<std::int64_t>(33, 1), four.first(1)),
                    InvalidArgument);
  REQUIRE_THROWS_AS(file.add("", {4}, four), InvalidArgument);
  REQUIRE_THROWS_AS(file.add("__metadata__", {4}, four), InvalidArgument);
  REQUIRE_THROWS_AS(file.add("thresholds", {4}, four), InvalidArgument);
  REQUIRE_THROWS_AS(file.add("\xff", {4}, four), InvalidArgument);
  REQUIRE_THROWS_AS(file.set_section("kind", "1"), InvalidArgument);
  REQUIRE_THROWS_AS(file.set_section("x", "{"), InvalidArgument);
  REQUIRE_THROWS_AS(file.set_section("x", "NaN"), InvalidArgument);
  REQUIRE_THROWS_AS(file.set_section("x", std::string(100, '[') + std::string(100, ']')),
                    InvalidArgument);
  REQUIRE_THROWS_AS(ModelFile(""), InvalidArgument);
  REQUIRE(file == small_file());
}

TEST_CASE("ModelFile: the file on disk holds the bytes of serialize") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  small_file().write(path);
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  REQUIRE(bytes == small_file().serialize());
  REQUIRE(ModelFile::read(path) == small_file());
}

TEST_CASE("ModelFile: a failed write leaves the old file and nothing else") {
  const TemporaryFolder folder;
  REQUIRE_THROWS_AS(small_file().write(folder.path() / "absent" / "model"), secondlook::FileError);
  const auto taken = folder.path() / "folder";
  std::filesystem::create_directory(taken);
  REQUIRE_THROWS_AS(small_file().write(taken), secondlook::FileError);
  REQUIRE(n_entries(folder) == 1);

  const auto path = folder.path() / "model";
  small_file().write(path);
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  ModelFile("other").write(path);
  REQUIRE(ModelFile::read(path).kind() == "other");
  REQUIRE(std::filesystem::status(path).permissions() ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  REQUIRE(n_entries(folder) == 2);
}

TEST_CASE("ModelFile: errors name the file") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "cut.safetensors";
  REQUIRE_THROWS_AS(ModelFile::read(path), secondlook::FileError);
  REQUIRE_THROWS_AS(ModelFile::read(folder.path()), secondlook::FileError);
  std::ofstream(path) << "1234";
  REQUIRE_THROWS_WITH(ModelFile::read(path),
                      "'" + path.string() + "': truncated: expected at least 8 bytes, got 4");
  std::ofstream(path) << "A text, and no model at all.";
  REQUIRE_THROWS_WITH(ModelFile::read(path),
                      Catch::Matchers::Contains("': not a safetensors file, or damaged"));
}

TEST_CASE("read_tensors: a safetensors file of any writer, but no damaged one") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "weights.safetensors";
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const auto write = [&](std::string_view text, std::size_t n_bytes) {
    const std::uint64_t length = text.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text << std::string(n_bytes, 'x');
  };
  write(header, 8);
  const secondlook::TensorFile file = secondlook::read_tensors(path);
  CHECK(file.metadata.at("format") == "pt");
  CHECK(file.tensors.at("a").shape == std::vector<std::int64_t>{2});
  CHECK(file.tensors.at("a").bytes.size() == 8);
  for (const std::size_t n_bytes : {0, 7, 9}) {
    write(header, n_bytes);
    CHECK_THROWS_AS(secondlook::read_tensors(path), secondlook::ModelFileError);
  }
  write("[]", 0);
  CHECK_THROWS_AS(secondlook::read_tensors(path), secondlook::ModelFileError);
  CHECK_THROWS_AS(secondlook::read_tensors(folder.path() / "none"), secondlook::FileError);
}

TEST_CASE("read_tensors: damage in a file of our own is found by its checksums") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  ModelFile file("test");
  file.add<float>("a", {2}, std::vector<float>{1, 2});
  const std::string bytes = file.serialize();
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK(secondlook::read_tensors(path).tensors == file.tensors());
  const auto with_changed_byte = [&](std::size_t at) {
    std::string changed = bytes;
    changed[at] ^= 1;
    std::ofstream(path, std::ios::binary) << changed;
  };
  with_changed_byte(bytes.size() - 1);
  CHECK_THROWS_WITH(secondlook::read_tensors(path),
                    Catch::Matchers::Contains("the tensors are damaged"));
  with_changed_byte(bytes.find("\"kind") + 12);
  CHECK_THROWS_AS(secondlook::read_tensors(path), secondlook::ModelFileError);
}
