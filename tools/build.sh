#!/usr/bin/env bash
# Builds the extension modules into python/secondlook, for .venv's Python.
#   tools/build.sh core   without LibTorch and OpenCV; if there is a full build, updates it instead
#   tools/build.sh full   everything, and the C++ tests
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?core or full}
[ -f build/full/build.ninja ] && what=full

switch=OFF
if [ "$what" = full ]; then
  switch=ON
  tools/build_opencv.sh
fi

if [ ! -f "build/$what/build.ninja" ]; then
  cmake -S . -B "build/$what" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DSECONDLOOK_PYTHON=ON -DPython_EXECUTABLE="$PWD/.venv/bin/python" \
    -DSECONDLOOK_IMAGE=$switch -DSECONDLOOK_TESTS=$switch
fi
cmake --build "build/$what" -j "${SECONDLOOK_JOBS:-$(nproc)}"
cmake --install "build/$what" --prefix python --component python >/dev/null
