# For Python the shared libraries are inside the package, both in the wheel and in the checkout:
#   cmake --install build/full --prefix python --component python
set_target_properties(secondlook_core PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS secondlook_core LIBRARY DESTINATION secondlook COMPONENT python)
if(SECONDLOOK_IMAGE)
  set_target_properties(secondlook_image PROPERTIES INSTALL_RPATH "$ORIGIN:$ORIGIN/../torch/lib")
  install(TARGETS secondlook_image LIBRARY DESTINATION secondlook COMPONENT python)
endif()
