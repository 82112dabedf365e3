# `make help` lists the targets. All can be repeated; a second run only updates what has changed.
SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

python := .venv/bin/python
data := $(or $(SECONDLOOK_DATA),../shared/data)/ess/Test_data

.PHONY: help demo build test test-all bench docs lint clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo:  ## `secondlook site` on DATA=folder, or the shared data, or a simulation
	@tools/bootstrap.sh core
	@tools/build.sh core
	@if [ -n "$(DATA)" ]; then folder="$(DATA)"; \
	elif [ -d "$(data)" ]; then folder="$(data)"; fi; \
	echo "demo: data: $${folder:-a simulation (use DATA=folder for your own data)}"; \
	$(python) -m secondlook site "$${folder:---simulate}"

build:  ## build the extension modules with all components, and the C++ tests
	@tools/bootstrap.sh full
	@tools/build.sh full

# Tests run in parallel, so waiting OpenMP threads must not occupy processors.
test test-all: export OMP_WAIT_POLICY := PASSIVE
test test-all: export SECONDLOOK_REQUIRE_IMAGE := 1
test: build  ## run the tests in C++ and Python, except the slow ones
	@ctest --test-dir build/full --output-on-failure -j 2
	@$(python) -m pytest -n auto -m "not slow"

# One worker per file, so that the tests of a file share its training.
test-all: test  ## run all tests, also statistics over many models, trainings and notebooks
	@$(python) -m pytest -n auto --dist loadfile -m slow

bench:  ## run every benchmark and its comparison with other libraries
	@tools/bootstrap.sh bench
	@tools/build.sh full
	@set -e; for file in $(filter-out %_scoring.py %/simulated_meter.py,$(wildcard benchmarks/[a-z]*.py)); do echo "== $$file"; $(python) "$$file"; done

docs:  ## build the documentation as a site in build/site
	@tools/bootstrap.sh docs
	@tools/build_docs.sh

lint:  ## check format, style, types, spelling and stubs
	@tools/bootstrap.sh full
	@tools/build.sh full
	@tools/lint.sh

clean:  ## remove build results (.venv and .cache are kept)
	rm -rf build dist python/secondlook/*.so
