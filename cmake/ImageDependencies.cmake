# The dependencies of the image component, as few as possible:
#   secondlook_torch    headers, libtorch_cpu and libc10; never libtorch_python
#   secondlook_opencv   core, imgproc and imgcodecs
#   secondlook_codecs   libjpeg and libtiff, which OpenCV also uses
# Sets SECONDLOOK_TORCH_VERSION, and SECONDLOOK_IMAGE_MISSING to instructions for missing ones.
#
# TorchConfig.cmake is not used: it links every library of LibTorch, and with a CUDA build of torch it
# fails without the CUDA toolkit, which is not needed here.

set(SECONDLOOK_IMAGE_MISSING "")

# --- LibTorch: from the Python in use, Torch_ROOT or CMAKE_PREFIX_PATH ----------------------------
if(NOT Torch_ROOT AND (Python_EXECUTABLE OR SECONDLOOK_PYTHON))
  find_package(Python COMPONENTS Interpreter)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c "import torch; print(torch.utils.cmake_prefix_path)"
    OUTPUT_VARIABLE torch_cmake OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(torch_cmake)
    cmake_path(SET Torch_ROOT NORMALIZE "${torch_cmake}/../..")  # the parent of share/cmake
  endif()
endif()

find_path(TORCH_INCLUDE_DIR torch/headeronly/version.h HINTS ${Torch_ROOT}/include)
find_library(TORCH_CPU_LIBRARY torch_cpu HINTS ${Torch_ROOT}/lib)
find_library(TORCH_C10_LIBRARY c10 HINTS ${Torch_ROOT}/lib)

if(TORCH_INCLUDE_DIR AND TORCH_CPU_LIBRARY AND TORCH_C10_LIBRARY)
  file(READ ${TORCH_INCLUDE_DIR}/torch/headeronly/version.h torch_version_header)
  string(REGEX MATCH "TORCH_VERSION[ \t\\]*\n[ \t]*\"([0-9.]+)" _ "${torch_version_header}")
  set(SECONDLOOK_TORCH_VERSION ${CMAKE_MATCH_1})
  if(NOT TARGET secondlook_torch)
    add_library(secondlook_torch INTERFACE)
    target_include_directories(secondlook_torch SYSTEM INTERFACE
      ${TORCH_INCLUDE_DIR} ${TORCH_INCLUDE_DIR}/torch/csrc/api/include)
    target_compile_definitions(secondlook_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
    target_link_libraries(secondlook_torch INTERFACE ${TORCH_CPU_LIBRARY} ${TORCH_C10_LIBRARY})
  endif()
else()
  string(APPEND SECONDLOOK_IMAGE_MISSING
    "\n  LibTorch: pip install torch==2.13.0 into the Python in use (-DPython_EXECUTABLE=...),"
    " or point -DTorch_ROOT=... to an unpacked libtorch.")
endif()

# --- OpenCV: our static build, otherwise the system's ---------------------------------------------
set(SECONDLOOK_OPENCV_DIR "$ENV{SECONDLOOK_OPENCV_DIR}" CACHE PATH "Static OpenCV made by tools/build_opencv.sh")
if(NOT SECONDLOOK_OPENCV_DIR)
  set(SECONDLOOK_OPENCV_DIR ${PROJECT_SOURCE_DIR}/.cache/opencv-4.12.0-static)
endif()
find_package(OpenCV 4 QUIET COMPONENTS core imgproc imgcodecs HINTS ${SECONDLOOK_OPENCV_DIR})

if(OpenCV_FOUND)
  if(NOT TARGET secondlook_opencv)
    add_library(secondlook_opencv INTERFACE)
    target_include_directories(secondlook_opencv SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
    target_link_libraries(secondlook_opencv INTERFACE opencv_imgcodecs opencv_imgproc opencv_core)
    # Hides our symbols, because a process may load another OpenCV, such as that of cv2.
    target_link_options(secondlook_opencv INTERFACE -Wl,--exclude-libs,ALL)
  endif()
else()
  string(APPEND SECONDLOOK_IMAGE_MISSING
    "\n  OpenCV: run tools/build_opencv.sh (8 minutes, once), or apt-get install libopencv-dev,"
    " or set SECONDLOOK_OPENCV_DIR to a build of it.")
endif()

# --- libjpeg and libtiff: those of our static OpenCV, otherwise the system's ----------------------
# OpenCV reports neither libjpeg's warnings about damage nor signs, planes and pages of TIFF files.
set(codec_headers ${SECONDLOOK_OPENCV_DIR}/include/codecs)
if(OpenCV_FOUND AND TARGET libjpeg-turbo AND TARGET libtiff AND EXISTS ${codec_headers}/tiffio.h)
  set(codec_libraries libtiff libjpeg-turbo)
else()
  set(codec_headers "")
  find_package(JPEG QUIET)
  find_package(TIFF QUIET)
  if(JPEG_FOUND AND TIFF_FOUND)
    set(codec_libraries TIFF::TIFF JPEG::JPEG)
  else()
    string(APPEND SECONDLOOK_IMAGE_MISSING
      "\n  libjpeg and libtiff: run tools/build_opencv.sh, which includes both, or apt-get install"
      " libjpeg-dev libtiff-dev.")
  endif()
endif()
if(codec_libraries AND NOT TARGET secondlook_codecs)
  add_library(secondlook_codecs INTERFACE)
  target_include_directories(secondlook_codecs SYSTEM INTERFACE ${codec_headers})
  target_link_libraries(secondlook_codecs INTERFACE ${codec_libraries})
endif()
