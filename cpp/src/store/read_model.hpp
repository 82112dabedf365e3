#pragma once

#include <string>
#include <string_view>

#include "core/validation.hpp"
#include "secondlook/store/model_file.hpp"
#include "store/strict_json.hpp"

namespace secondlook {

inline StrictJson read_section(const ModelFile& file, std::string_view name) {
  return StrictJson::parse(file.section(name));
}

/// Returns the result of `build` for a file of the given kind. Errors in its contents become
/// ModelFileErrors.
template <class Build>
auto read_model(std::string_view who, std::string_view kind, const ModelFile& file,
                const Build& build) {
  require<ModelFileError>(file.kind() == kind, "{}: expected a model of kind {}, got '{}'", who,
                          kind, file.kind());
  try {
    return build();
  } catch (const nlohmann::json::exception& error) {
    throw ModelFileError(std::string(who) + ": " + error.what());
  } catch (const InvalidArgument& error) {
    throw ModelFileError(error.what());
  }
}

}  // namespace secondlook
