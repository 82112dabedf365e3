#include "secondlook/core/error.hpp"

namespace secondlook {

// Defined here so that each type has one vtable, which every module that links the library shares.
Error::~Error() = default;
InvalidArgument::~InvalidArgument() = default;
NotFitted::~NotFitted() = default;
ModelFileError::~ModelFileError() = default;
FileError::~FileError() = default;
Cancelled::~Cancelled() = default;

}  // namespace secondlook
