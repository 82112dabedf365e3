# The C++ package: headers, libraries, and the files for find_package(secondlook).
include(CMakePackageConfigHelpers)

# secondlook::secondlook is everything in this build.
add_library(secondlook_all INTERFACE)
add_library(secondlook::secondlook ALIAS secondlook_all)
target_link_libraries(secondlook_all INTERFACE ${installed_targets})
set_target_properties(secondlook_all PROPERTIES EXPORT_NAME secondlook)

set_target_properties(${installed_targets} PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  INSTALL_RPATH "$ORIGIN")
if(SECONDLOOK_IMAGE)
  # Given explicitly, because CMake removes folders in the source tree, such as .venv, from the RUNPATH.
  cmake_path(GET TORCH_CPU_LIBRARY PARENT_PATH torch_libraries)
  set_target_properties(secondlook_image PROPERTIES INSTALL_RPATH "$ORIGIN;${torch_libraries}")
endif()
install(TARGETS ${installed_targets} secondlook_all EXPORT secondlookTargets)
set(without_image PATTERN image EXCLUDE)
if(SECONDLOOK_IMAGE)
  unset(without_image)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/cpp/include/ ${PROJECT_BINARY_DIR}/cpp/include/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${without_image})
install(EXPORT secondlookTargets NAMESPACE secondlook::
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/secondlook)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/secondlookConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cpp/secondlookConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/secondlook)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cpp/secondlookConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cpp/secondlookConfig.cmake
              ${PROJECT_BINARY_DIR}/cpp/secondlookConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/secondlook)

# For builds without CMake: pkg-config --cflags --libs secondlook (the core).
file(RELATIVE_PATH prefix_from_pc "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file(${PROJECT_SOURCE_DIR}/cmake/secondlook.pc.in ${PROJECT_BINARY_DIR}/cpp/secondlook.pc
               @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cpp/secondlook.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# A Debian package of the core: cpack -G DEB --config build/.../CPackConfig.cmake
if(NOT SECONDLOOK_IMAGE)
  set(CPACK_PACKAGE_NAME libsecondlook-dev)
  set(CPACK_PACKAGE_CONTACT "the developers of secondlook <secondlook@example.org>")
  set(CPACK_GENERATOR DEB)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6 (>= 2.36), libstdc++6 (>= 12)")
  set(CPACK_STRIP_FILES ON)
  include(CPack)
endif()
