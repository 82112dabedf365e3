#!/usr/bin/env bash
# Builds the package into .venv and the C++ tests beside it.
#   tools/build.sh core   without LibTorch and OpenCV: minutes from nothing
#   tools/build.sh full   everything
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?core or full}
image=OFF
[ "$what" = full ] && image=ON
exec .venv/bin/pip install --quiet --no-build-isolation --no-deps --editable . \
  --config-settings=build-dir="build/$what" \
  --config-settings=cmake.define.SECONDLOOK_IMAGE=$image \
  --config-settings=cmake.define.SECONDLOOK_TESTS=ON
