#!/usr/bin/env bash
# Installs secondlook into a temporary prefix, builds this project against that copy alone, runs it,
# and checks what the core consumer links.
#   tests/consumer/run.sh [core|full]   default full: with the image room
set -euo pipefail
cd "$(dirname "$0")/../.."
switch=ON
[ "${1:-full}" = core ] && switch=OFF

prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

cmake --preset release -DSECONDLOOK_IMAGE=$switch -DPython_EXECUTABLE="$PWD/.venv/bin/python" \
  >"$prefix/log" || { cat "$prefix/log"; exit 1; }
cmake --build --preset release -j "${SECONDLOOK_JOBS:-$(nproc)}"
cmake --install build/release --prefix "$prefix/installed" >/dev/null

# Nothing but the installed copy may be needed: not our headers, not our build.
cmake -S tests/consumer -B "$prefix/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix/installed" \
  >"$prefix/log" || { cat "$prefix/log"; exit 1; }
cmake --build "$prefix/build" -j 2

"$prefix/build/core_consumer"
(cd "$prefix/build" && ./readme_start | tee readme_start.txt && grep -q '^row 17 ' readme_start.txt)
if ldd "$prefix/build/core_consumer" | grep -iE 'torch|c10|opencv|not found'; then
  echo "core_consumer links what it must not" >&2
  exit 1
fi
if [ $switch = ON ]; then
  "$prefix/build/image_consumer"
  if ldd "$prefix/build/image_consumer" | grep -iE 'torch_python|libX11|libGL|not found'; then
    echo "image_consumer links what it must not" >&2
    exit 1
  fi
fi
echo "consumer: built and ran against the installed copy"
