#pragma once

#include <cstddef>
#include <functional>

namespace secondlook {

/// Progress callback, invoked on the calling thread several times per second.
///
/// Returning false stops the work with `Cancelled`; the object remains as it was before the call.
/// An exception thrown by the callback also stops the work and reaches the caller. May be empty.
using Progress = std::function<bool(std::size_t done, std::size_t total)>;

}  // namespace secondlook
