#!/usr/bin/env bash
# Builds the documentation as a site in build/site. A broken link, a page that is not in the
# navigation, or a warning of Doxygen is an error. Requires tools/bootstrap.sh docs.
#   tools/build_docs.sh           builds it
#   tools/build_docs.sh serve     serves it on port 8000 and follows changes
set -euo pipefail
cd "$(dirname "$0")/.."
export DISABLE_MKDOCS_2_WARNING=true NO_MKDOCS_2_WARNING=true
if [ "${1:-build}" = serve ]; then
  exec .venv/bin/python -m mkdocs serve
fi
# Not --quiet, which would also keep warnings from counting.
.venv/bin/python -m mkdocs build --strict --clean 2>&1 | { grep -v '^INFO ' || true; }
echo "documentation: build/site, $(find build/site -name '*.html' | wc -l) pages," \
  "$(du -sm build/site | cut -f1) MB"
