# The developer's and CI's one entrance. A fresh machine needs Python 3.11 or newer and make; every target makes the
# virtual environments it uses from the hash-pinned locks in requirements/ (their pins collide, so there are several).
#
#   make demo     the whole system on this machine, one invoice's life, then stops
#   make serve    the same, left running; NOW=2026-03-14T00:00:00+08:00 sets its clock
#   make test     everything CI runs
#   make check    only the fast part: linters, types, template
#   make artifacts  builds what is deployed, reads it, and boots it as Lambda does (needs Python 3.13)
#   make roles    every role of the template is enough and no more; WRITE=1 writes docs/roles.md
#   make simulate many seeds of the fault simulation (SEEDS=20000)
#   make torture  single faults through the local run's real HTTP API, as a table
#   make kill     process kills at every effect boundary, and a second kill in every recovery, as tables (EVERY=1: all)
#   make bench    speed, start-up and cost beside a floor and the usual design, in one run
#   make openapi  the published contract in docs/ again, from the code
#   make build    the deployable build, with bytecode (needs Python 3.13, the functions' runtime)
#   make lock     the locks again, from requirements/*.in (UPGRADE=1 takes newer versions)
#   make clean    everything made here, gone

SHELL := bash
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

RUNTIME := 3.13
LOCKS := runtime test local tools lock ric
CODE := shared functions local simulators einvoice_ops benchmarks tests tools
TYPED := $(wildcard shared/einvoice functions/*/handler.py local simulators einvoice_ops)
NOW ?=
WORKERS ?= 2
SEEDS ?= 20000
UPGRADE ?=
WRITE ?=

export SAM_CLI_TELEMETRY := 0

.PHONY: help demo serve test check lint types unit unit-runtime template simulate torture kill bench openapi build lock clean

help:
	@sed -n 's/^#   //p' Makefile

# --- running it -------------------------------------------------------------------------------------------------------

demo: .venv-local/.stamp
	@PYTHONPATH=shared .venv-local/bin/python -m local.demo

serve: .venv-local/.stamp
	@PYTHONPATH=shared exec .venv-local/bin/python -m local.serve $(if $(NOW),--now '$(NOW)')

# --- proofs, by hand --------------------------------------------------------------------------------------------------

torture: .venv-local/.stamp
	@PYTHONPATH=shared .venv-local/bin/python -m local.torture

kill: .venv/.stamp .venv-local/.stamp
	@PYTHONPATH=shared .venv/bin/python -m tests.torture.kill $(if $(EVERY),--every)

bench: .venv-bench/.stamp .venv-local/.stamp
	@PYTHONPATH=shared .venv-bench/bin/python -m benchmarks

# --- CI ---------------------------------------------------------------------------------------------------------------

test: check artifacts unit unit-runtime
	@echo "all steps of make test are ok"

check: lint types template

lint: .venv/.stamp
	@tools/step "ruff" .venv/bin/ruff check $(CODE)

types: .venv/.stamp
	@tools/step "mypy" .venv/bin/mypy $(TYPED)

unit: .venv/.stamp .venv-local/.stamp .dynoxide/.stamp
	@tools/step "all tests, $$(.venv/bin/python --version)" .venv/bin/python -m pytest -n $(WORKERS) --ignore tests/artifacts

# The functions run on RUNTIME; the machine's own Python may be another. Say plainly what was not run.
unit-runtime: .venv/.stamp
	@if .venv/bin/python --version | grep -q 'Python $(RUNTIME)\.'; then \
	  echo "<== unit tests, Python $(RUNTIME): ran above, it is this machine's own"; \
	elif ! tools/find-python $(RUNTIME) >/dev/null; then \
	  echo "<== unit tests, Python $(RUNTIME): NOT RUN, this machine has none"; \
	else \
	  $(MAKE) .venv-$(RUNTIME)/.stamp && tools/step "unit tests again, Python $(RUNTIME)" \
	    .venv-$(RUNTIME)/bin/python -m pytest -n $(WORKERS) -m "not embedded" --ignore tests/artifacts; \
	fi

simulate: .venv/.stamp
	@tools/step "fault simulation, $(SEEDS) seeds" env PYTHONPATH=.:shared \
	  .venv/bin/python -m tests.simulation --seeds 0:$(SEEDS) --processes $(WORKERS)

template: .venv/.stamp .venv-tools/.stamp
	@tools/step "template" tools/check-template

artifacts: .venv/.stamp .venv-tools/.stamp
	@if tools/find-python $(RUNTIME) >/dev/null; then $(MAKE) .venv-ric/.stamp; fi
	@tools/check-artifacts $(RUNTIME)

roles: .venv-local/.stamp
	@PYTHONPATH=shared .venv-local/bin/python -m local.roles $(if $(WRITE),--write)

openapi: .venv/.stamp
	@PYTHONPATH=shared .venv/bin/python -m tools.openapi

# --- deploying --------------------------------------------------------------------------------------------------------

build: .venv-tools/.stamp
	@tools/build $(RUNTIME)

# --- environments -----------------------------------------------------------------------------------------------------

.venv/.stamp: requirements/test.txt tools/make-venv
	@tools/make-venv .venv requirements/test.txt "$$(tools/find-python)"

.venv-$(RUNTIME)/.stamp: requirements/test.txt tools/make-venv
	@tools/make-venv .venv-$(RUNTIME) requirements/test.txt "$$(tools/find-python $(RUNTIME))"

# Native functions run on the emulator's interpreter, so it should be the functions' runtime where there is one.
.venv-local/.stamp: requirements/local.txt tools/make-venv
	@tools/make-venv .venv-local requirements/local.txt "$$(tools/find-python $(RUNTIME) 2>/dev/null || tools/find-python)"

.venv-tools/.stamp: requirements/tools.txt tools/make-venv
	@tools/make-venv .venv-tools requirements/tools.txt "$$(tools/find-python)"

# Only what is deployed: a package more in the environment changes what the others import.
.venv-bench/.stamp: requirements/runtime.txt tools/make-venv
	@tools/make-venv .venv-bench requirements/runtime.txt "$$(tools/find-python $(RUNTIME) 2>/dev/null || tools/find-python)"

# Lambda's side of a function: nothing in it that could stand in for a package missing from an artifact.
.venv-ric/.stamp: requirements/ric.txt tools/make-venv
	@tools/make-venv .venv-ric requirements/ric.txt "$$(tools/find-python $(RUNTIME))"

.venv-lock/.stamp: requirements/lock.txt tools/make-venv
	@tools/make-venv .venv-lock requirements/lock.txt "$$(tools/find-python)"

# A second DynamoDB for tests/store, one that survives `kill -9`; without it those tests are skipped.
.dynoxide/.stamp: tools/get-dynoxide
	@tools/get-dynoxide .dynoxide

# sam's pip builder reads the manifest beside the layer's code; a test keeps it equal to requirements/runtime.txt.
lock: .venv-lock/.stamp
	for name in $(LOCKS); do \
	  .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
	    --output-file "requirements/$$name.txt" "requirements/$$name.in" || exit; \
	done
	cp requirements/runtime.txt shared/requirements.txt

clean:
	rm -rf .venv .venv-* .dynoxide .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis .local-run build
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
