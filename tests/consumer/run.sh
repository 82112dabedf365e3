#!/usr/bin/env bash
# Installs secondlook into a temporary prefix, builds this project against only that copy with the
# flags that users may have, runs it, and checks the dependencies of the installed libraries.
#   tests/consumer/run.sh [core|full]   default full: with image support
set -euo pipefail
cd "$(dirname "$0")/../.."
switch=ON
[ "${1:-full}" = core ] && switch=OFF

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jobs=${SECONDLOOK_JOBS:-$(nproc)}

die() {
  echo "consumer: $*" >&2
  exit 1
}

# quietly COMMAND...: print the output only if the command fails
quietly() {
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log"
    die "failed: $*"
  }
}

# build_against PREFIX NAME [FLAGS]: build this project in $work/NAME against the installed copy only
build_against() {
  quietly cmake -S tests/consumer -B "$work/$2" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_PREFIX_PATH="$1" -DCMAKE_CXX_FLAGS="${3:-}"
  quietly cmake --build "$work/$2" -j "$jobs"
}

# needs FILE: print the shared libraries that it depends on directly
needs() {
  readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# --- shared libraries -----------------------------------------------------------------------------

quietly cmake --preset release -DSECONDLOOK_IMAGE=$switch -DPython_EXECUTABLE="$PWD/.venv/bin/python"
cmake --build --preset release -j "$jobs"
quietly cmake --install build/release --prefix "$work/prefix"

core=$(echo "$work"/prefix/lib*/libsecondlook_core.so)
if needs "$core" | grep -vE '^(libc|libm|libstdc\+\+|libgcc_s|ld-linux-.*)\.so\.[0-9]+$'; then
  die "libsecondlook_core needs more than the C and C++ libraries"
fi
if grep -rE '#include <(Eigen|fmt|hwy|nlohmann|opencv2|torch)' "$work/prefix/include" |
  grep -v 'secondlook/eigen.hpp:'; then
  die "a public header includes more than the standard library"
fi

# Matrices cross the boundary between code compiled for different processors.
flag_sets=("" "-march=native" "-mavx2" "-fsanitize=address")
grep -q avx512f /proc/cpuinfo && flag_sets+=("-mavx512f")
grep -q avx2 /proc/cpuinfo || flag_sets=("" "-march=native" "-fsanitize=address")
for flags in "${flag_sets[@]}"; do
  name=shared${flags//[^a-z0-9]/_}
  build_against "$work/prefix" "$name" "$flags"
  "$work/$name/matrix_consumer" || die "matrix_consumer built with '$flags' exited with $?"
  echo "consumer: matrices cross the library boundary with '${flags:-no flags}'"
done

build=$work/shared_build
mv "$work/prefix" "$work/installed" # moved, so that it is found at its present path
build_against "$work/installed" shared_build
"$build/core_consumer"
(cd "$build" && ./readme_start | tee readme_start.txt && grep -q '^row 17 ' readme_start.txt)
if ldd "$build/core_consumer" | grep -iE 'torch|c10|opencv|hwy|not found'; then
  die "core_consumer links a library that it must not link"
fi
if [ $switch = ON ]; then
  "$build/image_consumer"
  if ldd "$build/image_consumer" | grep -iE 'torch_python|libX11|libGL|not found'; then
    die "image_consumer links a library that it must not link"
  fi
fi

# --- the example programs, by CMake, pkg-config and the Debian package ---------------------------

# Three features that move together; the third argument breaks one reading.
simulate() {
  awk -v n="$1" -v seed="$2" -v broken="${3:--1}" 'BEGIN {
    srand(seed); print "time,inlet,outlet,flow"
    for (i = 0; i < n; ++i) {
      day = sin(i / 40)
      printf "2024-05-%02d %02d:%02d:00,%.3f,%.3f,%.3f\n", 1 + i / 1440, i / 60 % 24, i % 60,
        20 + 5 * day + rand(), 40 + 8 * day + rand(), i == broken ? 3 : 10 + rand()
    }
  }'
}

quietly cmake -S examples/cpp -B "$work/examples" -G Ninja -DCMAKE_PREFIX_PATH="$work/installed"
quietly cmake --build "$work/examples" -j "$jobs"
(
  cd "$work/examples"
  simulate 2000 1 >past.csv
  simulate 800 2 >more.csv
  simulate 100 3 50 >now.csv
  ./trainer forest past.csv forest.safetensors more.csv | tee trainer.txt
  grep -q 'more.csv: accepted: ' trainer.txt
  ./trainer ensemble past.csv ensemble.safetensors
  ./gateway ensemble.safetensors <now.csv >verdicts.csv
  [ "$(wc -l <verdicts.csv)" = 101 ]
  grep '^2024-05-01 00:50:00,anomaly,' verdicts.csv | grep flow
  # Errors are one line with exit status 2, and name the way out.
  for wrong in "./gateway ensemble.safetensors </dev/null" "./gateway forest.safetensors <now.csv" \
    "cut -d, -f1-3 now.csv | ./gateway ensemble.safetensors" "./trainer tree past.csv x.safetensors"; do
    status=0
    bash -o pipefail -c "$wrong" >/dev/null 2>error.txt || status=$?
    [ "$status" = 2 ] && [ "$(wc -l <error.txt)" = 1 ] || die "'$wrong' gave $status: $(cat error.txt)"
  done
)
ls -l "$work"/examples/{gateway,trainer} | awk '{print "consumer: " $NF ": " $5 " bytes"}'

PKG_CONFIG_PATH=$(echo "$work"/installed/lib*/pkgconfig)
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
quietly g++ -std=c++20 tests/consumer/readme_start.cpp -o "$work/by_pkg_config" \
  $(pkg-config --cflags --libs secondlook)
(cd "$work" && LD_LIBRARY_PATH=$(pkg-config --variable=libdir secondlook) ./by_pkg_config | grep -q '^row 17 ')

quietly cmake --preset release -B build/deb -DSECONDLOOK_IMAGE=OFF -DCMAKE_INSTALL_PREFIX=/usr
quietly cmake --build build/deb -j "$jobs"
(cd build/deb && quietly cpack -G DEB -B "$work/deb")
dpkg-deb -x "$work"/deb/*.deb "$work/debian"
quietly cmake -S examples/cpp -B "$work/from_deb" -G Ninja -DCMAKE_PREFIX_PATH="$work/debian/usr"
quietly cmake --build "$work/from_deb" -j "$jobs"
"$work/from_deb/gateway" "$work/examples/ensemble.safetensors" <"$work/examples/now.csv" >"$work/verdicts.csv"
cmp "$work/verdicts.csv" "$work/examples/verdicts.csv" || die "the Debian package gives other verdicts"

# --- a static library -----------------------------------------------------------------------------

quietly cmake --preset release -B build/static -DBUILD_SHARED_LIBS=OFF -DSECONDLOOK_IMAGE=OFF
quietly cmake --build build/static -j "$jobs"
quietly cmake --install build/static --prefix "$work/static"
build_against "$work/static" static_build
"$work/static_build/matrix_consumer"
(cd "$work/static_build" && ./readme_start | grep -q '^row 17 ')
if ldd "$work/static_build/core_consumer" | grep -E 'secondlook|hwy'; then
  die "a consumer of the static library needs a shared one"
fi

# --- a build for Python is not installed for C++ --------------------------------------------------

if [ -f build/full/build.ninja ]; then
  if cmake --install build/full --prefix "$work/python" >"$work/log" 2>&1; then
    die "cmake --install of a build for Python should refuse"
  fi
  grep -q 'this build is for Python' "$work/log" || die "the refusal does not state the reason"
  [ -z "$(find "$work/python" -type f 2>/dev/null)" ] || die "the refused installation left files"
fi

echo "consumer: built and ran against the installed copies"
