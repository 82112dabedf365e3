# Cross-compiles to 64-bit ARM with Debian's g++-aarch64-linux-gnu; qemu-user runs what it builds.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
# The dependencies are headers, so those of the host serve; fmt's are under its own architecture.
set(fmt_DIR /usr/lib/${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-gnu/cmake/fmt)
# Its GCC 12 crashes on the header of SVE if it also reads a precompiled one.
set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
