#!/usr/bin/env bash
# Checks format, style, types, spelling, and the stubs against the built modules. Changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror
ruff format --check
ruff check
git ls-files -z | xargs -0 codespell
mypy
# The extension of the image component needs torch to be imported first.
for module in secondlook._core secondlook._image; do
  MYPYPATH=python python -c 'import sys, torch; from mypy.stubtest import main; sys.exit(main())' \
    --concise --allowlist tools/stubtest_allowlist.txt --ignore-unused-allowlist "$module"
done
