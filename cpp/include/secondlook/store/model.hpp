#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "secondlook/core/error.hpp"
#include "secondlook/core/export.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook {

/// A model that can be saved to a file.
class SECONDLOOK_EXPORT Model {
 public:
  virtual ~Model();

  /// Name under which its reader is registered, such as `isolation_forest`.
  [[nodiscard]] virtual std::string_view kind() const noexcept = 0;

  /// Everything that is needed to restore the model.
  /// @throws NotFitted if the model is not fitted
  [[nodiscard]] virtual ModelFile to_file() const = 0;

  /// Writes `to_file()` to `path`, see `ModelFile::write`.
  void save(const std::filesystem::path& path) const;

 protected:
  Model() = default;
  Model(const Model&) = default;
  Model(Model&&) = default;
  Model& operator=(const Model&) = default;
  Model& operator=(Model&&) = default;
};

/// Builds a model from its file; throws ModelFileError if the file does not contain one.
using ModelReader = std::function<std::unique_ptr<Model>(const ModelFile&)>;

/// Registers the reader of a kind of model, for `load`. Thread-safe.
/// @throws InvalidArgument if the kind already has a reader
SECONDLOOK_EXPORT void register_reader(std::string kind, ModelReader reader);

/// Registers a reader when the program starts. Use in the source of the model:
/// `const ReaderRegistration registration{"kind", &read_it};`.
struct ReaderRegistration {
  ReaderRegistration(std::string kind, ModelReader reader) {
    register_reader(std::move(kind), std::move(reader));
  }
};

/// Builds the model in a file.
/// @throws ModelFileError if its kind has no reader
[[nodiscard]] SECONDLOOK_EXPORT std::unique_ptr<Model> load(const ModelFile& file);

/// Reads a file and builds the model in it.
/// @throws FileError, ModelFileError
[[nodiscard]] SECONDLOOK_EXPORT std::unique_ptr<Model> load(const std::filesystem::path& path);

/// Reads a file and builds the model in it, which must be a `T`, such as an `IsolationForest` or
/// any `Detector`.
/// @throws FileError, and ModelFileError if the file contains a model of another type
template <class T>
[[nodiscard]] std::unique_ptr<T> load_as(const std::filesystem::path& path) {
  std::unique_ptr<Model> model = load(path);
  auto* wanted = dynamic_cast<T*>(model.get());
  if (wanted == nullptr)
    throw ModelFileError("load_as: '" + path.string() + "': expected another type of model, got " +
                         std::string(model->kind()));
  std::unique_ptr<T> found(wanted);
  static_cast<void>(model.release());  // NOLINT(bugprone-unused-return-value): `found` owns it
  return found;
}

}  // namespace secondlook
