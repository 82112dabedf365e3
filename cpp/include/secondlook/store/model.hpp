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

/// Anything that learns and can be kept in a file.
class SECONDLOOK_EXPORT Model {
 public:
  virtual ~Model();

  /// The name under which its reader is registered, such as `isolation_forest`.
  [[nodiscard]] virtual std::string_view kind() const noexcept = 0;

  /// All that is needed to build the same model again.
  /// @throws NotFitted before it has learned
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

/// Builds a model from its file; throws ModelFileError where the file does not hold one.
using ModelReader = std::function<std::unique_ptr<Model>(const ModelFile&)>;

/// Makes files of a kind loadable. Thread-safe.
/// @throws InvalidArgument when the kind has a reader already
SECONDLOOK_EXPORT void register_reader(std::string kind, ModelReader reader);

/// Registers when the program starts: `const ReaderRegistration registration{"kind", &read_it};`
/// in the source of the model.
struct ReaderRegistration {
  ReaderRegistration(std::string kind, ModelReader reader) {
    register_reader(std::move(kind), std::move(reader));
  }
};

/// Builds the model that a file holds.
/// @throws ModelFileError when its kind has no reader here
[[nodiscard]] SECONDLOOK_EXPORT std::unique_ptr<Model> load(const ModelFile& file);

/// Reads a file and builds the model that it holds.
/// @throws FileError, ModelFileError
[[nodiscard]] SECONDLOOK_EXPORT std::unique_ptr<Model> load(const std::filesystem::path& path);

/// Reads a file and builds the model that it holds, which is to be a `T`, such as an
/// `IsolationForest` or any `Detector`.
/// @throws FileError, and ModelFileError when the file holds another model
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
