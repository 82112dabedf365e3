#include "secondlook/store/model_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/validation.hpp"
#include "secondlook/core/version.hpp"
#include "store/atomic_file.hpp"

namespace secondlook {

namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are written without conversion");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kAlignment = 8;
constexpr std::size_t kMaxHeaderBytes = std::size_t{16} << 20;
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxDimensions = 32;
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::string_view kDocument = "secondlook";
constexpr std::string_view kHeaderChecksum = "header_checksum";
constexpr std::array<std::string_view, 4> kReservedSections = {"kind", "format_version",
                                                               "library_version", "checksum"};

struct TypeInfo {
  DataType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<TypeInfo, 13> kTypes = {{{DataType::boolean, "BOOL", 1},
                                              {DataType::u8, "U8", 1},
                                              {DataType::i8, "I8", 1},
                                              {DataType::u16, "U16", 2},
                                              {DataType::i16, "I16", 2},
                                              {DataType::f16, "F16", 2},
                                              {DataType::bf16, "BF16", 2},
                                              {DataType::u32, "U32", 4},
                                              {DataType::i32, "I32", 4},
                                              {DataType::f32, "F32", 4},
                                              {DataType::u64, "U64", 8},
                                              {DataType::i64, "I64", 8},
                                              {DataType::f64, "F64", 8}}};

template <class Scalar>
constexpr DataType type_of() {
  constexpr std::size_t bytes = sizeof(Scalar);
  if constexpr (std::is_same_v<Scalar, float>) return DataType::f32;
  if constexpr (std::is_same_v<Scalar, double>) return DataType::f64;
  constexpr bool is_signed = std::is_signed_v<Scalar>;
  if constexpr (bytes == 1) return is_signed ? DataType::i8 : DataType::u8;
  if constexpr (bytes == 2) return is_signed ? DataType::i16 : DataType::u16;
  if constexpr (bytes == 4) return is_signed ? DataType::i32 : DataType::u32;
  return is_signed ? DataType::i64 : DataType::u64;
}

/// Position of a tensor in the bytes after the header.
struct Entry {
  std::string name;
  DataType type;
  std::vector<std::int64_t> shape;
  std::size_t begin;
  std::size_t end;
};

/// Contents of a header, checked against the number of bytes after it.
struct Header {
  std::string kind;
  std::string library_version;
  std::string checksum;
  std::map<std::string, std::string, std::less<>> sections;
  std::vector<Entry> entries;  // in the order of their bytes
};

std::string checksum_text(std::uint64_t checksum) { return fmt::format("{:016x}", checksum); }

std::string checksum_of(std::string_view text) {
  return checksum_text(XXH3_64bits(text.data(), text.size()));
}

template <class... Args>
void expect(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  require<ModelFileError>(condition, format, std::forward<Args>(args)...);
}

// Json::parse alone keeps the last of duplicate names and has no limit on nesting.
Json parse_json(std::string_view text, std::string_view what) {
  std::vector<std::set<std::string>> names;
  const auto check = [&](int depth, Json::parse_event_t event, const Json& value) {
    expect(depth <= kMaxDepth, "{} nests deeper than {} levels", what, kMaxDepth);
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key)
      expect(names.back().insert(value.get<std::string>()).second, "{} names '{}' twice", what,
             value.get_ref<const std::string&>());
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::parse_error& error) {
    // The message of nlohmann quotes the input, which may be binary.
    throw ModelFileError(fmt::format("{} is not valid JSON at byte {}", what, error.byte));
  } catch (const Json::exception&) {
    throw ModelFileError(fmt::format("{} has a number out of range", what));
  }
}

bool is_utf8(const std::string& text) {
  try {
    return !Json(text).dump().empty();
  } catch (const Json::exception&) {
    return false;
  }
}

const Json& member(const Json& object, std::string_view name, std::string_view what) {
  const auto found = object.find(name);
  expect(found != object.end(), "{} lacks '{}'", what, name);
  return *found;
}

const std::string& text_member(const Json& object, std::string_view name, std::string_view what) {
  const Json& value = member(object, name, what);
  expect(value.is_string(), "{}: expected '{}' to be a string, got {}", what, name,
         value.type_name());
  return value.get_ref<const std::string&>();
}

/// Number of bytes of a tensor; nothing if the product overflows.
std::optional<std::size_t> byte_count(DataType type, std::span<const std::int64_t> shape) {
  std::size_t bytes = size_of(type);
  for (const std::int64_t length : shape)
    if (length < 0 || __builtin_mul_overflow(bytes, static_cast<std::size_t>(length), &bytes))
      return std::nullopt;
  return bytes;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i > 0 ? ", " : "") + (shape[i] < 0 ? std::string("any") : std::to_string(shape[i]));
  return text + ")";
}

// ---- writing ----

// Tensors with wide elements first, then by name, so that each tensor begins at a multiple of its
// element size.
std::vector<std::pair<const std::string*, const Tensor*>> tensors_in_order(const ModelFile& file) {
  std::vector<std::pair<const std::string*, const Tensor*>> order;
  for (const auto& [name, tensor] : file.tensors()) order.emplace_back(&name, &tensor);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return size_of(a.second->type) > size_of(b.second->type);
  });
  return order;
}

std::string header_text(Json& header) {
  Json& metadata = header[kMetadata];
  metadata[kHeaderChecksum] = "";
  metadata[kHeaderChecksum] = checksum_of(header.dump());
  return header.dump();
}

// The part of the file before the tensors: the length and the header.
std::string head_of(const ModelFile& file) {
  Json header = Json::object();
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors_in_order(file)) {
    const std::size_t end = offset + tensor->bytes.size();
    header[*name] = {{"dtype", name_of(tensor->type)},
                     {"shape", tensor->shape},
                     {"data_offsets", {offset, end}}};
    XXH3_64bits_update(&state, tensor->bytes.data(), tensor->bytes.size());
    offset = end;
  }

  Json document = Json::object();
  for (const auto& [name, section] : file.sections()) document[name] = Json::parse(section);
  document["kind"] = file.kind();
  document["format_version"] = ModelFile::kFormatVersion;
  document["library_version"] = file.library_version();
  document["checksum"] = checksum_text(XXH3_64bits_digest(&state));
  header[kMetadata] = {{kDocument, document.dump()}};

  std::string text = header_text(header);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  require(text.size() <= kMaxHeaderBytes,
          "ModelFile: expected a header of at most {} bytes, got {}", kMaxHeaderBytes, text.size());
  const std::uint64_t length = text.size();
  std::string head(kLengthBytes, '\0');
  std::memcpy(head.data(), &length, kLengthBytes);
  return head + text;
}

// ---- reading ----

Entry read_entry(const std::string& name, const Json& value, std::size_t data_bytes) {
  const std::string what = fmt::format("tensor '{}'", name);
  expect(value.is_object() && value.size() == 3, "{}: expected dtype, shape and data_offsets",
         what);
  Entry entry{name, DataType::f32, {}, 0, 0};

  const std::string& type = text_member(value, "dtype", what);
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const TypeInfo& info) { return info.name == type; });
  expect(found != kTypes.end(), "{}: unknown dtype '{}'", what, type);
  entry.type = found->type;

  const Json& shape = member(value, "shape", what);
  expect(shape.is_array() && shape.size() <= kMaxDimensions,
         "{}: expected a shape of at most {} dimensions", what, kMaxDimensions);
  constexpr std::uint64_t kMaxLength = std::numeric_limits<std::int64_t>::max();
  for (const Json& length : shape) {
    expect(length.is_number_unsigned() && length.get<std::uint64_t>() <= kMaxLength,
           "{}: expected dimensions from 0 to {}, got {}", what, kMaxLength, length.dump());
    entry.shape.push_back(length.get<std::int64_t>());
  }

  const Json& offsets = member(value, "data_offsets", what);
  expect(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
             offsets[1].is_number_unsigned(),
         "{}: expected two data_offsets", what);
  entry.begin = offsets[0].get<std::uint64_t>();
  entry.end = offsets[1].get<std::uint64_t>();
  expect(entry.begin <= entry.end && entry.end <= data_bytes,
         "{}: expected data_offsets within {} bytes, got {} to {}", what, data_bytes, entry.begin,
         entry.end);
  const std::optional<std::size_t> bytes = byte_count(entry.type, entry.shape);
  expect(bytes.has_value() && *bytes == entry.end - entry.begin,
         "{}: {} of shape {} does not take the {} bytes given by its data_offsets", what, type,
         shape_text(entry.shape), entry.end - entry.begin);
  return entry;
}

void check_layout(std::vector<Entry>& entries, std::size_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::size_t offset = 0;
  for (const Entry& entry : entries) {
    expect(entry.begin == offset, "tensor '{}' begins at byte {}, expected {}: {}", entry.name,
           entry.begin, offset, entry.begin < offset ? "tensors overlap" : "there is a gap");
    offset = entry.end;
  }
  expect(offset == data_bytes, "expected {} bytes of tensors, got {}", offset, data_bytes);
}

void read_document(const Json& metadata, Header& header) {
  constexpr std::string_view what = "the model's document";
  Json document = parse_json(text_member(metadata, kDocument, "__metadata__"), what);
  expect(document.is_object(), "{}: expected an object, got {}", what, document.type_name());
  const Json& version = member(document, "format_version", what);
  expect(version.is_number_unsigned() && version.get<std::uint64_t>() >= 1,
         "{}: expected a format_version of at least 1, got {}", what, version.dump());
  expect(version.get<std::uint64_t>() <= ModelFile::kFormatVersion,
         "format version {} is newer than this library ({}) reads: expected at most {}",
         version.dump(), secondlook::version(), ModelFile::kFormatVersion);
  header.kind = text_member(document, "kind", what);
  expect(!header.kind.empty(), "{}: expected a kind, got an empty one", what);
  header.library_version = text_member(document, "library_version", what);
  header.checksum = text_member(document, "checksum", what);
  for (const std::string_view name : kReservedSections) document.erase(std::string(name));
  for (const auto& [name, section] : document.items()) header.sections[name] = section.dump();
}

void check_header_checksum(Json header) {
  const std::string stated = text_member(header[kMetadata], kHeaderChecksum, "__metadata__");
  header[kMetadata][kHeaderChecksum] = "";
  const std::string actual = checksum_of(header.dump());
  expect(stated == actual, "the header is damaged: expected checksum {}, got {}", stated, actual);
}

Header read_header(std::string_view text, std::size_t data_bytes) {
  Json json = parse_json(text, "the header");
  expect(json.is_object(), "the header: expected an object, got {}", json.type_name());
  const Json& metadata = member(json, kMetadata, "the header");
  expect(metadata.is_object() && std::all_of(metadata.begin(), metadata.end(),
                                             [](const Json& value) { return value.is_string(); }),
         "__metadata__: expected an object of strings");

  Header header;
  read_document(metadata, header);
  for (const auto& [name, value] : json.items())
    if (name != kMetadata) header.entries.push_back(read_entry(name, value, data_bytes));
  check_layout(header.entries, data_bytes);

  check_header_checksum(std::move(json));
  return header;
}

// Bytes in memory, read from the front.
class MemorySource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : rest_(bytes) {}
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  void read(void* target, std::size_t n) {
    if (n > 0) std::memcpy(target, rest_.data(), n);
    rest_ = rest_.subspan(n);
  }

 private:
  std::span<const std::byte> rest_;
};

// A regular file, read from the front. It is safe if the file grows or shrinks meanwhile.
class FileSource {
 public:
  explicit FileSource(const std::filesystem::path& path) : path_(path) {
    // Non-blocking, so that opening a pipe without a writer does not hang.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    require<FileError>(descriptor_ >= 0, "cannot open '{}': {}", path.string(),
                       std::strerror(errno));
    struct stat status{};
    const bool is_file = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
    if (!is_file) ::close(descriptor_);
    require<FileError>(is_file, "cannot read '{}': not a regular file", path.string());
    remaining_ = static_cast<std::size_t>(status.st_size);
  }
  ~FileSource() { ::close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  [[nodiscard]] std::size_t remaining() const { return remaining_; }

  void read(void* target, std::size_t n) {
    auto* next = static_cast<std::byte*>(target);
    remaining_ -= n;
    while (n > 0) {
      const ssize_t got = ::read(descriptor_, next, n);
      if (got < 0 && errno == EINTR) continue;
      require<FileError>(got >= 0, "cannot read '{}': {}", path_.string(), std::strerror(errno));
      expect(got > 0, "the file became shorter while it was read");
      next += got;
      n -= static_cast<std::size_t>(got);
    }
  }

 private:
  const std::filesystem::path& path_;
  int descriptor_ = -1;
  std::size_t remaining_ = 0;
};

// Reads the JSON text of the header.
template <class Source>
std::string take_header_text(Source& source) {
  expect(source.remaining() >= kLengthBytes, "truncated: expected at least {} bytes, got {}",
         kLengthBytes, source.remaining());
  std::uint64_t length = 0;
  source.read(&length, kLengthBytes);
  // In any other file these bytes are some length as well: in a text file about 10¹⁸.
  expect(length <= kMaxHeaderBytes,
         "not a safetensors file, or damaged: expected a header of at most {} bytes, got {}",
         kMaxHeaderBytes, length);
  expect(length <= source.remaining(), "truncated: expected a header of {} bytes, got {}", length,
         source.remaining());
  std::string text(length, '\0');
  source.read(text.data(), length);
  return text;
}

template <class Source>
Header take_header(Source& source) {
  const std::string text = take_header_text(source);
  return read_header(text, source.remaining());
}

/// Reads the tensors after the header.
/// @param expected their checksum; files of other writers have none
template <class Source>
std::map<std::string, Tensor, std::less<>> take_tensors(
    Source& source, std::vector<Entry>& entries, const std::optional<std::string>& expected) {
  std::map<std::string, Tensor, std::less<>> tensors;
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (Entry& entry : entries) {
    Tensor tensor{entry.type, std::move(entry.shape), {}};
    tensor.bytes.resize(entry.end - entry.begin);
    source.read(tensor.bytes.data(), tensor.bytes.size());
    XXH3_64bits_update(&state, tensor.bytes.data(), tensor.bytes.size());
    tensors.emplace(std::move(entry.name), std::move(tensor));
  }
  const std::string actual = checksum_text(XXH3_64bits_digest(&state));
  expect(!expected || *expected == actual, "the tensors are damaged: expected checksum {}, got {}",
         expected.value_or(""), actual);
  return tensors;
}

}  // namespace

struct ModelFile::Access {
  template <class Source>
  static ModelFile read(Source& source) {
    Header header = take_header(source);
    ModelFile file(std::move(header.kind));
    file.library_version_ = std::move(header.library_version);
    file.sections_ = std::move(header.sections);
    file.tensors_ = take_tensors(source, header.entries, header.checksum);
    return file;
  }
};

std::size_t size_of(DataType type) noexcept { return kTypes[static_cast<std::size_t>(type)].size; }

std::string_view name_of(DataType type) noexcept {
  return kTypes[static_cast<std::size_t>(type)].name;
}

ModelFile::ModelFile(std::string kind) : kind_(std::move(kind)), library_version_(version()) {
  require(!kind_.empty() && is_utf8(kind_), "ModelFile: expected a kind in UTF-8, got '{}'", kind_);
}

void ModelFile::set_section(std::string_view name, std::string_view json) {
  require(std::find(kReservedSections.begin(), kReservedSections.end(), name) ==
              kReservedSections.end(),
          "ModelFile::set_section: expected a name that is not reserved, got '{}'", name);
  require(is_utf8(std::string(name)), "ModelFile::set_section: expected a name in UTF-8");
  try {
    sections_.insert_or_assign(std::string(name), parse_json(json, "the section").dump());
  } catch (const ModelFileError& error) {
    throw InvalidArgument(fmt::format("ModelFile::set_section: '{}': {}", name, error.what()));
  }
}

const std::string& ModelFile::section(std::string_view name) const {
  const auto found = sections_.find(name);
  expect(found != sections_.end(), "a model of kind '{}' lacks the section '{}'", kind_, name);
  return found->second;
}

bool ModelFile::has_section(std::string_view name) const {
  return sections_.find(name) != sections_.end();
}

void ModelFile::add(std::string name, Tensor tensor) {
  require(!name.empty() && name != kMetadata && is_utf8(name),
          "ModelFile::add: expected a tensor name in UTF-8, not empty and not reserved, got '{}'",
          name);
  require(tensor.shape.size() <= kMaxDimensions,
          "ModelFile::add: '{}': expected at most {} dimensions, got {}", name, kMaxDimensions,
          tensor.shape.size());
  const std::optional<std::size_t> bytes = byte_count(tensor.type, tensor.shape);
  require(bytes.has_value() && *bytes == tensor.bytes.size(),
          "ModelFile::add: '{}': {} of shape {} does not take {} bytes", name, name_of(tensor.type),
          shape_text(tensor.shape), tensor.bytes.size());
  const auto [entry, is_new] = tensors_.try_emplace(std::move(name), std::move(tensor));
  require(is_new, "ModelFile::add: expected a new name, but there is already a tensor '{}'",
          entry->first);
}

template <class Scalar>
void ModelFile::add(std::string name, std::vector<std::int64_t> shape,
                    std::span<const Scalar> values) {
  const auto bytes = std::as_bytes(values);
  add(std::move(name),
      Tensor{type_of<Scalar>(), std::move(shape), std::vector(bytes.begin(), bytes.end())});
}

std::string ModelFile::tensors_fingerprint() const {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (const auto& [name, tensor] : tensors_) {
    if (name.starts_with(kDecisionPrefix) || name.starts_with(kLearnerPrefix)) continue;
    const std::string what =
        fmt::format("{} {} {} ", name, name_of(tensor.type), fmt::join(tensor.shape, ","));
    XXH3_64bits_update(&state, what.data(), what.size());
    XXH3_64bits_update(&state, tensor.bytes.data(), tensor.bytes.size());
  }
  return checksum_text(XXH3_64bits_digest(&state));
}

void ModelFile::erase_tensor(std::string_view name) {
  if (const auto found = tensors_.find(name); found != tensors_.end()) tensors_.erase(found);
}

bool ModelFile::has_tensor(std::string_view name) const {
  return tensors_.find(name) != tensors_.end();
}

template <class Scalar>
std::span<const Scalar> ModelFile::get(std::string_view name,
                                       std::span<const std::int64_t> shape) const {
  const auto found = tensors_.find(name);
  expect(found != tensors_.end(), "a model of kind '{}' lacks the tensor '{}'", kind_, name);
  const Tensor& tensor = found->second;
  const bool fits = std::equal(
      shape.begin(), shape.end(), tensor.shape.begin(), tensor.shape.end(),
      [](std::int64_t expected, std::int64_t got) { return expected < 0 || expected == got; });
  expect(tensor.type == type_of<Scalar>() && fits,
         "tensor '{}': expected {} of shape {}, got {} of shape {}", name,
         name_of(type_of<Scalar>()), shape_text(shape), name_of(tensor.type),
         shape_text(tensor.shape));
  return {reinterpret_cast<const Scalar*>(tensor.bytes.data()),
          tensor.bytes.size() / sizeof(Scalar)};
}

void ModelFile::write(const std::filesystem::path& path) const {
  const std::string head = head_of(*this);
  std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(head))};
  for (const auto& [name, tensor] : tensors_in_order(*this)) pieces.emplace_back(tensor->bytes);
  write_atomically(path, pieces);
}

ModelFile ModelFile::read(const std::filesystem::path& path) {
  FileSource source(path);
  try {
    return Access::read(source);
  } catch (const ModelFileError& error) {
    throw ModelFileError(fmt::format("'{}': {}", path.string(), error.what()));
  }
}

std::string ModelFile::serialize() const {
  std::string bytes = head_of(*this);
  for (const auto& [name, tensor] : tensors_in_order(*this))
    bytes.append(reinterpret_cast<const char*>(tensor->bytes.data()), tensor->bytes.size());
  return bytes;
}

ModelFile ModelFile::parse(std::span<const std::byte> bytes) {
  MemorySource source(bytes);
  return Access::read(source);
}

TensorFile read_tensors(const std::filesystem::path& path) {
  FileSource source(path);
  try {
    Json header = parse_json(take_header_text(source), "the header");
    expect(header.is_object(), "the header: expected an object, got {}", header.type_name());
    TensorFile file;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name != kMetadata) {
        entries.push_back(read_entry(name, value, source.remaining()));
        continue;
      }
      expect(value.is_object(), "__metadata__: expected an object of strings");
      for (const auto& [key, text] : value.items()) {
        expect(text.is_string(), "__metadata__: expected an object of strings");
        file.metadata.emplace(key, text.get<std::string>());
      }
    }
    check_layout(entries, source.remaining());
    std::optional<std::string> checksum;
    if (file.metadata.contains(kDocument)) {
      Header ours;
      read_document(header[kMetadata], ours);
      checksum = ours.checksum;
      check_header_checksum(std::move(header));
    }
    file.tensors = take_tensors(source, entries, checksum);
    return file;
  } catch (const ModelFileError& error) {
    throw ModelFileError(fmt::format("'{}': {}", path.string(), error.what()));
  }
}

#define SECONDLOOK_INSTANTIATE(Scalar)                                                   \
  template SECONDLOOK_EXPORT void ModelFile::add(std::string, std::vector<std::int64_t>, \
                                                 std::span<const Scalar>);               \
  template SECONDLOOK_EXPORT std::span<const Scalar> ModelFile::get<Scalar>(             \
      std::string_view, std::span<const std::int64_t>) const;
SECONDLOOK_INSTANTIATE(float)
SECONDLOOK_INSTANTIATE(double)
SECONDLOOK_INSTANTIATE(std::int8_t)
SECONDLOOK_INSTANTIATE(std::uint8_t)
SECONDLOOK_INSTANTIATE(std::int16_t)
SECONDLOOK_INSTANTIATE(std::uint16_t)
SECONDLOOK_INSTANTIATE(std::int32_t)
SECONDLOOK_INSTANTIATE(std::uint32_t)
SECONDLOOK_INSTANTIATE(std::int64_t)
SECONDLOOK_INSTANTIATE(std::uint64_t)
#undef SECONDLOOK_INSTANTIATE

}  // namespace secondlook
