#!/usr/bin/env bash
# Installs the dependencies of a build: system packages by apt-get, Python packages into .venv.
#   tools/bootstrap.sh core    for the demo: no LibTorch, no OpenCV
#   tools/bootstrap.sh full    for everything, with tests and linters
#   tools/bootstrap.sh ci      the same, with clang and the tools for the wheel
#   tools/bootstrap.sh docs    for the documentation as a site, which needs no build
#   tools/bootstrap.sh bench   for the benchmarks, with the rivals
# Installs only what is missing; otherwise takes about a second. SECONDLOOK_PYTHON selects another
# Python.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?core, full, ci, docs or bench}

die() {
  echo "bootstrap: $*" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in "${SECONDLOOK_PYTHON:-}" python3 python3.11 python3.12 python3.13 python3.14; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      # The interpreter itself, not a shim or link that may change later.
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  die "secondlook needs Python 3.11 or newer; found none among python3 and python3.11 to" \
    "python3.14. Install one, or pass it: SECONDLOOK_PYTHON=/path/to/python make ..."
}

# --- system packages: name, command that succeeds if it is installed, purpose ---------------------

missing=()
need() {
  local package=$1 probe=$2 why=$3
  if ! eval "$probe" >/dev/null 2>&1; then
    echo "bootstrap: missing $package: $why"
    missing+=("$package")
  fi
}

check_system() {
  local has_python_header='import os, sysconfig; p = sysconfig.get_path("include")
os.stat(os.path.join(p, "Python.h"))'
  local cmake_version='cmake --version | grep -qE "version (3\.(2[4-9]|[3-9][0-9])|[4-9]\.)"'
  if [ "$what" = docs ] || [ "$what" = ci ]; then
    need doxygen 'doxygen --version' "the reference of the C++ interface"
  fi
  need python3-venv '"$python" -c "import ensurepip, venv"' "makes .venv"
  [ "$what" = docs ] && return 0
  need g++ 'g++ --version' "compiles the library"
  need make 'make --version' "runs the Makefile"
  need cmake "$cmake_version" "configures the build (3.24 or newer)"
  need ninja-build 'ninja --version' "runs the build"
  need ccache 'ccache --version' "caches compiled files"
  need libeigen3-dev 'test -e /usr/include/eigen3/Eigen/Core' "matrices"
  need libfmt-dev 'test -e /usr/include/fmt/core.h' "messages"
  need nlohmann-json3-dev 'test -e /usr/include/nlohmann/json.hpp' "the model file's header"
  need libxxhash-dev 'test -e /usr/include/xxhash.h' "the model file's checksum"
  need python3-dev '"$python" -c "$has_python_header"' "compiles the Python modules"
  [ "$what" = core ] && return 0
  need catch2 'test -e /usr/include/catch2/catch.hpp -o -e /usr/include/catch2/catch_all.hpp' \
    "the C++ tests"
  need nasm 'nasm --version' "OpenCV's JPEG decoder at full speed"
  [ "$what" = ci ] || return 0
  need clang-19 'clang++-19 --version' "AddressSanitizer's build and the fuzzers"
  need libclang-rt-19-dev 'ls /usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.fuzzer-*.a' \
    "AddressSanitizer's build and the fuzzers"
  need pkg-config 'pkg-config --version' "the test of secondlook.pc"
  need clang-tidy-19 'clang-tidy-19 --version' "static analysis"
}

install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "as root, run: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  command -v apt-get >/dev/null || die "there is no apt-get; install the packages above yourself"
  echo "bootstrap: apt-get install ${missing[*]}"
  "${sudo[@]}" apt-get update -qq </dev/null
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" </dev/null >/dev/null
}

# --- Python packages ------------------------------------------------------------------------------

requirements() {
  .venv/bin/python tools/requirements.py "$@"
}

install_python_packages() {
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  local wanted
  case $what in
    core) wanted=$(requirements build demo) ;;
    full) wanted=$(requirements build demo test lint torch) ;;
    ci) wanted=$(requirements build demo test lint torch wheel docs) ;;
    docs) wanted=$(requirements docs) ;;
    bench) wanted=$(requirements build demo test torch bench) ;;
  esac
  local stamp=.venv/stamp-$what
  if [ "$wanted" != "$(cat "$stamp" 2>/dev/null)" ]; then
    echo "bootstrap: pip install into .venv"
    .venv/bin/python -m pip install -qq --upgrade pip
    .venv/bin/python -m pip install -qq --requirement <(echo "$wanted")
    echo "$wanted" >"$stamp"
  fi
  # `import secondlook` imports this checkout.
  local site
  site=$(echo "$PWD"/.venv/lib/python3.*/site-packages)
  echo "$PWD/python" >"$site/secondlook-checkout.pth"
  # The command, as pip installs it.
  printf '#!%s\nfrom secondlook.cli import main\n\nmain()\n' "$PWD/.venv/bin/python" \
    >.venv/bin/secondlook
  chmod +x .venv/bin/secondlook
}

python=$(find_python)
check_system
install_missing
install_python_packages
