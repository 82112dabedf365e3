#pragma once

#include <cstddef>
#include <functional>

namespace secondlook {

/// Told how far long work has come, on the thread that called it, several times a second.
///
/// Returning false stops the work with `Cancelled`; what was learned before the call stays usable.
/// An exception thrown by it stops the work too and reaches the caller. Empty: nobody listens.
using Progress = std::function<bool(std::size_t done, std::size_t total)>;

}  // namespace secondlook
