#!/usr/bin/env bash
# Builds dist/secondlook-*.whl with all components, in build isolation, as a user's pip would.
# LibTorch is not included, since it comes with torch. Requires tools/bootstrap.sh ci.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
tools/build_opencv.sh
rm -rf dist build/wheel build/wheelhouse # isolation gives torch a new path, which an old CMake cache would not know
python -m pip wheel -qq . --no-deps --wheel-dir build/wheelhouse \
  --config-settings=build-dir=build/wheel \
  --config-settings=cmake.define.SECONDLOOK_IMAGE=ON
auditwheel repair build/wheelhouse/*.whl --wheel-dir dist --exclude 'libtorch*' --exclude 'libc10*'
python tools/check_wheel.py dist/*.whl
