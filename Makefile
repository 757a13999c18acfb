# What a newcomer, a developer and the CI type. `make help` lists it.

PYTHON ?= python3
PORT ?= 8000
PEERS ?= ../shared/bench/peers
BIN := .venv/bin
# Many tests wait for processes of their own, so there are twice as many workers as cores.
BESIDE = --numprocesses $(shell $(PYTHON) -c 'import os; print(os.cpu_count() * 2)') --dist worksteal
PIP := $(BIN)/pip --disable-pip-version-check --quiet
# An exact version, so that the same locks come out on every machine.
UV := uv==0.13.9
LOCK := uv pip compile pyproject.toml --extra build --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command "make lock" --quiet
# The framework asks for these, to make up examples for API documents; ours has none.
LEFT_OUT := --no-emit-package polyfactory --no-emit-package faker
# With it each of the workers would compile every test anew, which takes as long as to find them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-more test-long lint bench bench-cluster bench-growth bench-peers bench-simulation bench-soak lock clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/runtime ## Serve a demo with no set-up; PORT=8001 takes another port
	$(BIN)/greenroom demo --port $(PORT)

test: .venv/dev ## Run the tests; ARGS="..." goes to pytest
	$(BIN)/pytest $(BESIDE) $(ARGS)

test-more: .venv/dev ## Run the rest of what a change has to pass: all of the API on PostgreSQL, and what is slow
	$(BIN)/pytest $(BESIDE) -m "more and not long" $(ARGS)

test-long: .venv/dev ## Run the tests of real data with all of it, and those that are marked as long
	GREENROOM_LONG_TESTS=1 $(BIN)/pytest $(BESIDE) tests/corpora $(ARGS)
	GREENROOM_WIRE_CASES=100000 $(BIN)/pytest $(BESIDE) tests/contracts/test_wire.py $(ARGS)
	$(BIN)/pytest $(BESIDE) -m long $(ARGS)

lint: .venv/dev ## Check style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/dev ## Measure against a bare application; ARGS=--short is quick, ARGS=--help tells of others
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-growth: .venv/dev ## Measure each operation at 1,000 to 1,000,000 comments; ARGS=--full goes to 10,000,000
	$(BIN)/python -m tests.benchmarks growth $(ARGS)

bench-cluster: .venv/dev ## Measure several processes behind nginx, and the engines for more
	$(BIN)/python -m tests.benchmarks cluster $(ARGS)

bench-peers: .venv/dev ## Measure beside Isso, Waline and WordPress; PEERS=... is the harness's folder
	PEERS=$(PEERS) $(BIN)/python -m tests.benchmarks peers $(ARGS)

bench-simulation: .venv/dev ## Check the capacity model on this machine, and ask it about more
	$(BIN)/python -m tests.benchmarks simulation $(ARGS)

bench-soak: .venv/dev ## Let everybody call for ten minutes; ARGS="sqlite --minutes 2" for less
	$(BIN)/python -m tests.benchmarks.soak $(ARGS)

lock: ## Renew both locks; ARGS=--upgrade takes newer versions
	set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; "$$folder/bin/pip" install --quiet $(UV); \
	"$$folder/bin/"$(LOCK) $(ARGS) --extra dev --output-file requirements-dev.lock; \
	"$$folder/bin/"$(LOCK) $(ARGS) --constraint requirements-dev.lock $(LEFT_OUT) --output-file requirements.lock

clean: ## Remove the virtual environment and all caches, never the data
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find service tests -name __pycache__ -prune -exec rm -rf {} +

# Each of the two files below is made last, so that its age says which lock is installed.
.venv/runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Greenroom needs Python 3.11 or newer, \
	and $(PYTHON) is older. Name another one: make demo PYTHON=python3.13")'
	$(PYTHON) -m venv .venv
	$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
