#pragma once

#include <string_view>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Version of the library in use, "major.minor.patch".
[[nodiscard]] SECONDLOOK_EXPORT std::string_view version() noexcept;

}  // namespace secondlook
