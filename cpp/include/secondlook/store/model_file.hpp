#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Element types of tensors, as in safetensors.
enum class DataType { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

/// Number of bytes of one element.
[[nodiscard]] SECONDLOOK_EXPORT std::size_t size_of(DataType type) noexcept;

/// Name in the file: `F32`, `I64`, …
[[nodiscard]] SECONDLOOK_EXPORT std::string_view name_of(DataType type) noexcept;

/// A dense row-major array; without dimensions it is one element.
struct Tensor {
  DataType type = DataType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  ///< product of `shape` elements, little-endian

  bool operator==(const Tensor&) const = default;
};

/// The stored form of a model: one JSON document with named sections, and tensors.
///
/// The file has the safetensors layout, so every safetensors reader can open the tensors: header
/// length (8 bytes), JSON header padded with spaces to a multiple of 8, and the tensors without
/// gaps. The header's `__metadata__` has two strings. `secondlook` is the document: kind,
/// format_version, library_version, checksum (XXH3-64 over the tensors' bytes, 16 hexadecimal
/// digits) and the sections. `header_checksum` is the checksum of the header with this value empty,
/// members sorted by name and without spaces. The file contains no code, and reading it runs none.
///
/// A section is any JSON value. By convention: `parameters` (object), `feature_names` (array or
/// null), `scaler`, `decision`.
class SECONDLOOK_EXPORT ModelFile {
 public:
  /// Format version that this library writes; it reads this version and older ones.
  static constexpr std::uint64_t kFormatVersion = 1;

  /// Prefix of the tensors that belong to the decision rule on the model's scores.
  static constexpr std::string_view kDecisionPrefix = "decision.";
  /// Prefix of the tensors that belong to the learner that updates the model.
  static constexpr std::string_view kLearnerPrefix = "learner.";

  /// @param kind kind of the model, such as `isolation_forest`; not empty
  explicit ModelFile(std::string kind);

  [[nodiscard]] const std::string& kind() const noexcept { return kind_; }

  /// Version of the library that wrote the file, or of this library.
  [[nodiscard]] const std::string& library_version() const noexcept { return library_version_; }

  /// Sets a section to a JSON text, without its white space; at most 64 levels deep.
  /// @throws InvalidArgument if the text is not JSON, or `name` is one of the four reserved names
  void set_section(std::string_view name, std::string_view json);

  /// JSON text of a section.
  /// @throws ModelFileError if there is no section of this name
  [[nodiscard]] const std::string& section(std::string_view name) const;

  [[nodiscard]] bool has_section(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& sections() const noexcept {
    return sections_;
  }

  /// Adds a tensor.
  /// @param name unique, not empty, not `__metadata__`, UTF-8
  /// @throws InvalidArgument otherwise, or if type and shape do not match the number of bytes
  void add(std::string name, Tensor tensor);

  /// As above; Scalar is float, double or an integer of fixed width.
  template <class Scalar>
  void add(std::string name, std::vector<std::int64_t> shape, std::span<const Scalar> values);

  /// Removes the tensor of this name, if there is one.
  void erase_tensor(std::string_view name);

  [[nodiscard]] bool has_tensor(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Tensor, std::less<>>& tensors() const noexcept {
    return tensors_;
  }

  /// Checksum over names, types, shapes and values of the model's own tensors, 16 hexadecimal
  /// digits. It changes if the model changes. O(bytes).
  [[nodiscard]] std::string tensors_fingerprint() const;

  /// Values of a tensor, without a copy: valid until the object is changed or destroyed.
  /// @param shape expected shape; −1 matches any length
  /// @throws ModelFileError if there is no tensor of this name, or it has another type or shape
  template <class Scalar>
  [[nodiscard]] std::span<const Scalar> get(std::string_view name,
                                            std::span<const std::int64_t> shape) const;

  template <class Scalar>
  [[nodiscard]] std::span<const Scalar> get(std::string_view name,
                                            std::initializer_list<std::int64_t> shape) const {
    return get<Scalar>(name, std::span(shape.begin(), shape.size()));
  }

  /// Replaces the file at `path` atomically: a reader sees the old file or the new one, even after
  /// a power failure. On failure the old file remains, and no other file is left behind. A symbolic
  /// link is replaced itself.
  /// @throws FileError if the file cannot be written
  void write(const std::filesystem::path& path) const;

  /// Reads a file.
  /// @throws FileError if the file cannot be opened or read
  /// @throws ModelFileError if the file is truncated, damaged, inconsistent or of a newer format;
  ///   no memory is allocated for tensors before the header has been checked
  [[nodiscard]] static ModelFile read(const std::filesystem::path& path);

  /// The bytes that `write` would write.
  [[nodiscard]] std::string serialize() const;

  /// Like `read`, from the bytes of a file.
  [[nodiscard]] static ModelFile parse(std::span<const std::byte> bytes);

  bool operator==(const ModelFile&) const = default;

 private:
  struct Access;

  std::string kind_;
  std::string library_version_;
  std::map<std::string, std::string, std::less<>> sections_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

/// Contents of any safetensors file, such as pretrained weights.
struct TensorFile {
  std::map<std::string, Tensor, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;  ///< strings in `__metadata__`
};

/// Reads any safetensors file.
/// @throws FileError if the file cannot be opened or read
/// @throws ModelFileError if the file is truncated, damaged or inconsistent; no memory is allocated
///   for tensors before the header has been checked
[[nodiscard]] SECONDLOOK_EXPORT TensorFile read_tensors(const std::filesystem::path& path);

}  // namespace secondlook
