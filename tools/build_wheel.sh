#!/usr/bin/env bash
# Builds dist/secondlook-*.whl with every room, in build isolation, as a user's pip would.
# LibTorch stays outside: torch brings it. Needs tools/bootstrap.sh ci.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
export CCACHE_SLOPPINESS=pch_defines,time_macros
tools/build_opencv.sh
rm -rf dist build/wheel # isolation gives torch a new path: an old CMake cache would miss it
python -m pip wheel -qq . --no-deps --wheel-dir build/wheel/raw \
  --config-settings=build-dir=build/wheel/cmake \
  --config-settings=cmake.define.SECONDLOOK_IMAGE=ON
auditwheel repair build/wheel/raw/*.whl --wheel-dir dist --exclude 'libtorch*' --exclude 'libc10*'
python tools/check_wheel.py dist/*.whl
