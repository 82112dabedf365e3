# secondlook_highway: the few functions of Highway as objects that are linked into the library, so that
# an installation does not require libhwy.
set(SECONDLOOK_HIGHWAY_DIR "$ENV{SECONDLOOK_HIGHWAY_DIR}" CACHE PATH
    "Source tree of Highway, 1.0.3 or newer; if empty, tools/fetch_highway.sh fetches one")
set(highway_source ${SECONDLOOK_HIGHWAY_DIR})
if(NOT highway_source)
  set(highway_source ${PROJECT_SOURCE_DIR}/.cache/highway)
  execute_process(COMMAND ${PROJECT_SOURCE_DIR}/tools/fetch_highway.sh COMMAND_ERROR_IS_FATAL ANY)
endif()
if(NOT EXISTS ${highway_source}/hwy/targets.cc)
  message(FATAL_ERROR "SECONDLOOK_HIGHWAY_DIR: expected a source tree of Highway, got "
                      "${highway_source}, which has no hwy/targets.cc")
endif()

add_library(secondlook_highway OBJECT ${highway_source}/hwy/targets.cc)
target_include_directories(secondlook_highway SYSTEM PUBLIC ${highway_source})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # The kernels keep arrays of vectors, which SVE's vectors of unknown length do not allow; NEON does.
  target_compile_definitions(secondlook_highway PUBLIC
    "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
  target_sources(secondlook_highway PRIVATE ${highway_source}/hwy/per_target.cc)  # used by targets.cc
endif()
