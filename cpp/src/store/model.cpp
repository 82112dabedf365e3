#include "secondlook/store/model.hpp"

#include <map>
#include <mutex>
#include <utility>

#include "core/validation.hpp"

namespace secondlook {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, ModelReader, std::less<>> readers;
};

// Created on first use, because registrations run before main, in any order.
Registry& registry() {
  static Registry instance;
  return instance;
}

ModelReader find_reader(const std::string& kind) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const auto found = all.readers.find(kind);
  if (found != all.readers.end()) return found->second;
  std::string known;
  for (const auto& [name, reader] : all.readers) known += (known.empty() ? "" : ", ") + name;
  throw ModelFileError("load: expected a model of a known kind (" +
                       (known.empty() ? std::string("none is registered") : known) + "), got '" +
                       kind + "'");
}

}  // namespace

Model::~Model() = default;

void Model::save(const std::filesystem::path& path) const { to_file().write(path); }

// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved into the registry
void register_reader(std::string kind, ModelReader reader) {
  require(!kind.empty() && reader, "register_reader: expected a kind and a reader");
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const auto [entry, is_new] = all.readers.try_emplace(std::move(kind), std::move(reader));
  require(is_new, "register_reader: expected a new kind, but '{}' already has a reader",
          entry->first);
}

std::unique_ptr<Model> load(const ModelFile& file) { return find_reader(file.kind())(file); }

std::unique_ptr<Model> load(const std::filesystem::path& path) {
  const ModelFile file = ModelFile::read(path);
  try {
    return load(file);
  } catch (const ModelFileError& error) {
    throw ModelFileError("'" + path.string() + "': " + error.what());
  }
}

}  // namespace secondlook
