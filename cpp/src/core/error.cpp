#include "secondlook/core/error.hpp"

namespace secondlook {

// Defined here so that each type has a single vtable, shared by all modules that link the library.
Error::~Error() = default;
InvalidArgument::~InvalidArgument() = default;
NotFitted::~NotFitted() = default;
ModelFileError::~ModelFileError() = default;
FileError::~FileError() = default;
Cancelled::~Cancelled() = default;

}  // namespace secondlook
