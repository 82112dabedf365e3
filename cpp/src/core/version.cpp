#include "secondlook/core/version.hpp"

namespace secondlook {

std::string_view version() noexcept { return SECONDLOOK_VERSION; }

}  // namespace secondlook
