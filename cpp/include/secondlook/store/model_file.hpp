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

/// Types of a tensor's elements, as safetensors names them.
enum class DataType { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

/// Bytes of one element.
[[nodiscard]] SECONDLOOK_EXPORT std::size_t size_of(DataType type) noexcept;

/// The name in the file: `F32`, `I64`, …
[[nodiscard]] SECONDLOOK_EXPORT std::string_view name_of(DataType type) noexcept;

/// A dense row-major array; no dimension is one element.
struct Tensor {
  DataType type = DataType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  ///< product of `shape` elements, little-endian

  bool operator==(const Tensor&) const = default;
};

/// What is kept of a model: one JSON document in named sections, and tensors.
///
/// The file has the safetensors layout, so every reader of that opens the tensors: header length
/// (8 bytes), JSON header padded with spaces to a multiple of 8, the tensors without holes. The
/// header's `__metadata__` holds the document as a string under `secondlook`: kind, format_version,
/// library_version, checksum (XXH3-64 over the tensors' bytes, 16 hexadecimal digits) and the
/// sections; and under `header_checksum` the same of the header with this value empty, members
/// sorted by name and without spaces. No code is in the file and none is run by reading it.
///
/// A section is any JSON value. By convention: `parameters` (object), `feature_names` (array or
/// null), `scaler`, `decision`.
class SECONDLOOK_EXPORT ModelFile {
 public:
  /// The format that this library writes; it reads this one and older ones.
  static constexpr std::uint64_t kFormatVersion = 1;

  /// Tensors whose names begin so belong to the decision rule on the model's scores.
  static constexpr std::string_view kDecisionPrefix = "decision.";
  /// Tensors whose names begin so belong to the learner that guards the model.
  static constexpr std::string_view kLearnerPrefix = "learner.";

  /// @param kind which model it is, such as `isolation_forest`; not empty
  explicit ModelFile(std::string kind);

  [[nodiscard]] const std::string& kind() const noexcept { return kind_; }

  /// Of the library that wrote the file, or of this one.
  [[nodiscard]] const std::string& library_version() const noexcept { return library_version_; }

  /// Sets a section to a JSON text, compacted; at most 64 levels deep.
  /// @throws InvalidArgument for what is not JSON, and for the four names that the file itself uses
  void set_section(std::string_view name, std::string_view json);

  /// A section's JSON text.
  /// @throws ModelFileError when there is none of this name
  [[nodiscard]] const std::string& section(std::string_view name) const;

  [[nodiscard]] bool has_section(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& sections() const noexcept {
    return sections_;
  }

  /// Adds a tensor.
  /// @param name not empty, not `__metadata__`, not taken, UTF-8
  /// @throws InvalidArgument otherwise, or if the bytes are not what type and shape make
  void add(std::string name, Tensor tensor);

  /// As above; Scalar is float, double or an integer of fixed width.
  template <class Scalar>
  void add(std::string name, std::vector<std::int64_t> shape, std::span<const Scalar> values);

  /// Takes a tensor out, if there is one of this name.
  void erase_tensor(std::string_view name);

  [[nodiscard]] bool has_tensor(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Tensor, std::less<>>& tensors() const noexcept {
    return tensors_;
  }

  /// Checksum over names, types, shapes and values of the model's own tensors, 16 hexadecimal
  /// digits: what tells whether it is still the same. O(bytes).
  [[nodiscard]] std::string tensors_fingerprint() const;

  /// A tensor's values, looked at in place: valid as long as the file is neither changed nor gone.
  /// @param shape as expected; −1 matches any length
  /// @throws ModelFileError when there is none of this name, or it has another type or shape
  template <class Scalar>
  [[nodiscard]] std::span<const Scalar> get(std::string_view name,
                                            std::span<const std::int64_t> shape) const;

  template <class Scalar>
  [[nodiscard]] std::span<const Scalar> get(std::string_view name,
                                            std::initializer_list<std::int64_t> shape) const {
    return get<Scalar>(name, std::span(shape.begin(), shape.size()));
  }

  /// Replaces the file at `path` as one step: whoever reads it sees the old file or the new one,
  /// also after a power cut. Where this fails the old one stays and nothing is left behind.
  /// A symbolic link is replaced itself.
  /// @throws FileError when it cannot be written
  void write(const std::filesystem::path& path) const;

  /// @throws FileError when it cannot be opened or read
  /// @throws ModelFileError when anything in it is cut off, damaged, out of bounds or of a newer
  ///   format; nothing is allocated for tensors before the header holds together
  [[nodiscard]] static ModelFile read(const std::filesystem::path& path);

  /// The bytes that `write` would write.
  [[nodiscard]] std::string serialize() const;

  /// What `read` makes of the same bytes in a file.
  [[nodiscard]] static ModelFile parse(std::span<const std::byte> bytes);

  bool operator==(const ModelFile&) const = default;

 private:
  struct Access;

  std::string kind_;
  std::string library_version_;
  std::map<std::string, std::string, std::less<>> sections_;
  std::map<std::string, Tensor, std::less<>> tensors_;
};

/// The tensors of a safetensors file of any writer, such as pretrained weights.
struct TensorFile {
  std::map<std::string, Tensor, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;  ///< texts that the writer left
};

/// Reads any safetensors file.
/// @throws FileError when it cannot be opened or read
/// @throws ModelFileError when it is cut off, damaged or out of bounds; nothing is allocated for
///   tensors before the header holds together
[[nodiscard]] SECONDLOOK_EXPORT TensorFile read_tensors(const std::filesystem::path& path);

}  // namespace secondlook
