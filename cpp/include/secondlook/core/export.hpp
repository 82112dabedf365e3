#pragma once

/// Marks what a shared library offers to its users; everything else stays hidden.
#define SECONDLOOK_EXPORT __attribute__((visibility("default")))
