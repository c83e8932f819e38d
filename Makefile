# make demo    set up, then run a campaign on an embedded chain with the real contracts
# make test    set up, then check and test everything
# make check   format, lint and types alone
# make faults  every fault of tests/faults, as often as it takes, and a table; FAULTS=quick for less
# make bench   measure; fails at the end where a goal was missed
# make fuzz    compare a million swaps with the deployed pools; FUZZ="--swaps 5000 --seed 7" for less
# make contracts  compile our contracts again
# make contracts-test  test them with forge in the full figures, for hours, and plant faults in them;
#              FORGE="--match-contract Leak" for a part (make test runs them all in quick figures,
#              plants every fault, looks at the coverage, proves all but the rebalance, and has slither
#              read them)
# make contracts-prove  prove custody with halmos, and have slither read them; PROVE=quick for all but
#              the rebalance, PROVE=faults to plant faults in what is proved
# make contracts-score  the mutation score of the vault; SCORE="20 Budget" for less
# make clean   remove what the others made
#
# Needs Python 3.11 or newer, make and git. A second run does no set-up.

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
PYTHON_READY := .venv/.installed
NODE_READY := contracts/node_modules/.installed
SECURITY_READY := contracts/.venv-sec/.installed

FAULTS ?= full

.PHONY: demo test check faults bench fuzz contracts contracts-test contracts-prove contracts-score clean setup

demo: setup
	@$(BIN)/lpm demo

test: check $(SECURITY_READY)
	$(BIN)/pytest -n 3 --dist worksteal

faults: setup
	$(BIN)/pytest -n 2 --dist worksteal tests/faults --faults=$(FAULTS) --faults-table

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	scripts/with_node node contracts/build.js --check

contracts: setup
	scripts/with_node node contracts/build.js

contracts-test: setup
	cd contracts && FOUNDRY_PROFILE=full ../scripts/with_node node_modules/.bin/forge test $(FORGE)
	scripts/with_node node contracts/mutants.js

# slither builds, and cleans before, in a folder of its own
contracts-prove: setup $(SECURITY_READY)
	cd contracts && PATH="$$PWD/.venv-sec/bin:$$PWD/node_modules/.bin:$$PATH" \
		../scripts/with_node node prove/prove.js $(PROVE)
	cd contracts && FOUNDRY_OUT=out/slither FOUNDRY_CACHE_PATH=cache/slither \
		PATH="$$PWD/.venv-sec/bin:$$PWD/node_modules/.bin:$$PATH" ../scripts/with_node slither . --fail-medium

contracts-score: setup $(SECURITY_READY)
	cd contracts && FOUNDRY_OUT=out/slither FOUNDRY_CACHE_PATH=cache/slither \
		PATH="$$PWD/.venv-sec/bin:$$PWD/node_modules/.bin:$$PATH" \
		../scripts/with_node .venv-sec/bin/python score/score.py $(SCORE)

bench: setup
	@failed=0; for script in scripts/bench/*.py; do $(BIN)/python "$$script" || failed=1; done; exit $$failed

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

# These need an older web3 than the program, so they have a venv of their own.
$(SECURITY_READY): contracts/security-tools.txt | $(PYTHON_READY)
	@echo "installing halmos and slither"
	@$(PYTHON) -m venv contracts/.venv-sec
	@contracts/.venv-sec/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean:
	rm -rf .venv contracts/.venv-sec contracts/node_modules contracts/out contracts/cache scripts/bench/.peers dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
