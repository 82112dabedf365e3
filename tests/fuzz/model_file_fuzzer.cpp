#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "secondlook/core/error.hpp"
#include "secondlook/store/model_file.hpp"

// Any bytes are either rejected with ModelFileError, or read, written and read again as the same
// model.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using secondlook::ModelFile;
  try {
    const ModelFile file = ModelFile::parse(std::as_bytes(std::span(data, size)));
    const std::string bytes = file.serialize();
    const ModelFile again = ModelFile::parse(std::as_bytes(std::span(bytes)));
    if (again.tensors() != file.tensors() || again.sections() != file.sections()) std::abort();
  } catch (const secondlook::ModelFileError&) {
  }
  return 0;
}
