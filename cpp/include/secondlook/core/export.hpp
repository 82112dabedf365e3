#pragma once

/// Marks the symbols that a shared library exports; all others are hidden.
#define SECONDLOOK_EXPORT __attribute__((visibility("default")))
