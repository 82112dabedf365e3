#!/usr/bin/env bash
# Installs a wheel into a new venv outside this checkout and runs the Python tests against it: first
# without torch and without the slow tests, which packaging does not affect; then those of the image
# component, with torch.
#   tools/test_wheel.sh dist/secondlook-*.whl
set -euo pipefail
cd "$(dirname "$0")/.."
wheel=$(realpath "$1")
python=$PWD/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/venv"
venv=$work/venv/bin/python
install() { "$venv" -m pip install -qq "$@"; }
install --upgrade pip
install --requirement <("$python" tools/requirements.py demo test) "$wheel"

# Copies the tests without the package, and runs them from another folder.
cp -r tests/python "$work/tests"
cp pyproject.toml "$work"
cp "$(dirname "$0")/check_import.py" "$work"
repo=$PWD
cd "$work"

echo "without torch:"
"$venv" check_import.py
"$venv" -m pytest -n auto -m "not slow" tests
echo "with torch:"
install "$wheel[image]" --requirement <("$python" "$repo/tools/requirements.py" torch)
"$venv" check_import.py
SECONDLOOK_REQUIRE_IMAGE=1 "$venv" -m pytest tests/image
