# make demo    set up, then run a campaign on an embedded chain with the real contracts
# make test    set up, then check and test everything
# make check   format, lint and types alone
# make faults  every fault of tests/faults, as often as it takes, and a table; FAULTS=quick for less
# make bench   measure
# make fuzz    compare a million swaps with the deployed pools; FUZZ="--swaps 5000 --seed 7" for less
# make contracts  compile our contracts again
# make clean   remove what the others made
#
# Needs Python 3.11 or newer, make and git. A second run does no set-up.

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
PYTHON_READY := .venv/.installed
NODE_READY := contracts/node_modules/.installed

FAULTS ?= full

.PHONY: demo test check faults bench fuzz contracts clean setup

demo: setup
	@$(BIN)/lpm demo

test: check
	$(BIN)/pytest -n 2

faults: setup
	$(BIN)/pytest -n 2 tests/faults --faults=$(FAULTS) --faults-table

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	scripts/with_node node contracts/build.js --check

contracts: setup
	scripts/with_node node contracts/build.js

bench: setup
	@for script in scripts/bench/*.py; do $(BIN)/python "$$script" || exit 1; done

fuzz: setup
	@$(BIN)/python tests/differential/fuzz.py $(FUZZ)

setup: $(PYTHON_READY) $(NODE_READY)

$(PYTHON_READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer on PATH; install one, or" \
		"name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "setting up .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@

$(NODE_READY): contracts/package.json contracts/package-lock.json | $(PYTHON_READY)
	@echo "installing the npm packages of contracts/"
	@cd contracts && ../scripts/with_node npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

clean:
	rm -rf .venv contracts/node_modules scripts/bench/.peers dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
