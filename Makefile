# `make help` lists the targets. All can be repeated; a second run only does what has changed.
SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

python := .venv/bin/python
data := $(or $(SECONDLOOK_DATA),../shared/data)/ess/Test_data

.PHONY: help demo build test bench lint clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo:  ## check an energy storage site: DATA=folder, else the shared data, else a simulation
	@tools/bootstrap.sh core
	@tools/build.sh core
	@if [ -n "$(DATA)" ]; then folder="$(DATA)"; \
	elif [ -d "$(data)" ]; then folder="$(data)"; fi; \
	echo "demo: data: $${folder:-none given, a simulation (DATA=folder for your own)}"; \
	$(python) examples/energy_storage.py $${folder:+"$$folder"}

build:  ## the extension modules with all components, and the C++ tests
	@tools/bootstrap.sh full
	@tools/build.sh full

# Tests run side by side: threads of OpenMP that wait must not keep those that work from a processor.
test: export OMP_WAIT_POLICY := PASSIVE
test: build  ## the tests in C++ and Python
	@ctest --test-dir build/full --output-on-failure -j 2
	@SECONDLOOK_REQUIRE_IMAGE=1 $(python) -m pytest -n auto

bench:  ## every benchmark, each beside its rivals
	@tools/bootstrap.sh bench
	@tools/build.sh full
	@set -e; for file in $(filter-out %_scoring.py %/simulated_meter.py,$(wildcard benchmarks/[a-z]*.py)); do echo "== $$file"; $(python) "$$file"; done

lint:  ## format, style, types, spelling, stubs
	@tools/bootstrap.sh full
	@tools/build.sh full
	@tools/lint.sh

clean:  ## what was built (.venv and .cache stay)
	rm -rf build dist python/secondlook/*.so
