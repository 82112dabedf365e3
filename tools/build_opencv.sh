#!/usr/bin/env bash
# Builds the static OpenCV for image support: only core, imgproc and imgcodecs, with the bundled JPEG,
# PNG, TIFF and zlib. Takes a few minutes on 2 cores, once; the result is kept. The headers of libjpeg
# and libtiff, which OpenCV does not install, go to include/codecs. Built for x86-64-v2, with dispatch
# to AVX2; each further variant would take another minute.
#
#   SECONDLOOK_OPENCV_DIR      folder of the installation (default .cache/opencv-4.12.0-static)
#   SECONDLOOK_OPENCV_SOURCE   an OpenCV source tree to use instead of downloading one
set -euo pipefail
cd "$(dirname "$0")/.."

# The source archive of this PyPI package contains OpenCV itself, so pip can download it.
package=opencv-python-headless==4.12.0.88
prefix=${SECONDLOOK_OPENCV_DIR:-$PWD/.cache/opencv-4.12.0-static}

if [ -f "$prefix/lib/cmake/opencv4/OpenCVConfig.cmake" ] &&
  [ -f "$prefix/include/codecs/tiffio.h" ]; then
  echo "OpenCV: using $prefix"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

download_source() {
  local python=.venv/bin/python
  [ -x "$python" ] || python=python3
  echo "OpenCV: downloading the source of $package"
  "$python" -m venv "$work/venv"
  # The package's build requirements, so that pip can read its metadata without isolation.
  "$work/venv/bin/pip" install --quiet 'setuptools<70' wheel scikit-build 'cmake<4' numpy
  "$work/venv/bin/pip" download --quiet --no-deps --no-build-isolation --no-binary :all: \
    --dest "$work" "$package"
  tar -xzf "$work"/opencv*.tar.gz -C "$work" --wildcards '*/opencv/*'
}

source=${SECONDLOOK_OPENCV_SOURCE:-}
if [ -z "$source" ]; then
  download_source
  source=$(echo "$work"/opencv*/opencv)
fi

# nasm, if installed, makes JPEG decoding about twice as fast.
off=(
  BUILD_SHARED_LIBS BUILD_TESTS BUILD_PERF_TESTS BUILD_EXAMPLES BUILD_DOCS BUILD_opencv_apps
  BUILD_JAVA BUILD_opencv_python2 BUILD_opencv_python3 OPENCV_GENERATE_PKGCONFIG
  WITH_1394 WITH_ADE WITH_AVIF WITH_CUDA WITH_EIGEN WITH_FFMPEG WITH_FLATBUFFERS WITH_GSTREAMER
  WITH_GTK WITH_IMGCODEC_GIF WITH_IMGCODEC_HDR WITH_IMGCODEC_PFM WITH_IMGCODEC_PXM
  WITH_IMGCODEC_SUNRASTER WITH_IPP WITH_ITT WITH_JASPER WITH_JPEGXL WITH_LAPACK WITH_OBSENSOR
  WITH_OPENCL WITH_OPENEXR WITH_OPENJPEG WITH_OPENMP WITH_PROTOBUF WITH_PTHREADS_PF WITH_QUIRC
  WITH_TBB WITH_V4L WITH_VA WITH_VA_INTEL WITH_VULKAN WITH_WEBP
)
on=(
  BUILD_JPEG BUILD_PNG BUILD_TIFF BUILD_ZLIB WITH_JPEG WITH_PNG WITH_TIFF ENABLE_PIC
  CMAKE_POSITION_INDEPENDENT_CODE
)

switches=("${off[@]/%/=OFF}" "${on[@]/%/=ON}")
switches=("${switches[@]/#/-D}")

echo "OpenCV: building into $prefix"
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_INSTALL_PREFIX="$prefix" -DBUILD_LIST=core,imgproc,imgcodecs \
  -DCPU_BASELINE=SSE4_2 -DCPU_DISPATCH=AVX2 \
  "${switches[@]}" >"$work/configure.log" 2>&1 || {
  tail -n 40 "$work/configure.log"
  exit 1
}
cmake --build "$work/build" -j "$(nproc)" >"$work/build.log" 2>&1 || {
  grep -A 20 FAILED "$work/build.log" || tail -n 40 "$work/build.log"
  exit 1
}
cmake --install "$work/build" >/dev/null
codecs=$prefix/include/codecs
mkdir -p "$codecs"
cp "$source"/3rdparty/libjpeg-turbo/src/{jpeglib,jmorecfg,jerror}.h \
  "$work"/build/3rdparty/libjpeg-turbo/jconfig.h \
  "$work"/build/3rdparty/libtiff/{tiffconf,tiffvers}.h "$source"/3rdparty/libtiff/tiff.h "$codecs"
cp "$source"/3rdparty/libtiff/tiffio.h "$codecs" # last: it shows that all are there
echo "OpenCV: done"
