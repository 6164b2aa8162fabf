# Every target sets up what it needs in .venv; nothing else on the machine is changed.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SCENARIO ?= merged
N ?= 50000
SEED ?= 0
MERGE ?= all
PAGES := README.md docs/states.md

.DEFAULT_GOAL := help
.PHONY: help install demo live stack test check explore sim proof spin mutants compare merges bench diagrams docs clean

help: ## say what the targets do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | expand -t 12

install: $(STAMP) ## set up .venv with all that development needs

# The demo needs the library alone; tests and checks need their tools as well.
$(VENV)/.library: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(STAMP): $(VENV)/.library
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,check,live]'
	@touch $@

demo: $(VENV)/.library ## run one transfer in the simulated world (SCENARIO=name)
	@$(BIN)/warm-transfer demo '$(SCENARIO)'

live: $(STAMP) ## run one transfer on a real server with real audio (SCENARIO=name)
	@$(BIN)/python -m tests.live --scenario '$(SCENARIO)'

stack: $(STAMP) ## call a real phone by every merge strategy, on the stack of the environment (MERGE=name)
	@$(BIN)/python -m tests.live --phone real --merge '$(MERGE)'

test: $(STAMP) ## run all tests, the real-server ones too when Go or LIVEKIT_URL is there
	$(BIN)/python -m pytest -q -n 2 -m 'not live'
	$(BIN)/python -m pytest -q -m live

check: $(STAMP) ## lint, types, layers, exports, diagrams up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	for version in 3.12 3.13 3.14; do $(BIN)/mypy --python-version $$version || exit 1; done
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_exports.py tests/test_mirror.py
	$(BIN)/python -m fsm_diagrams check $(PAGES)
	$(BIN)/python -m tests.diagrams --check
	$(BIN)/python -m tests.bench.page --check

explore: $(STAMP) ## walk every path of the table, build/explore.json and a journal for each violation (EXPLORE='--table my.module:TABLE')
	@$(BIN)/python -m warm_transfer.testing.explorer $(EXPLORE)

sim: $(STAMP) ## play N transfers drawn by chance from SEED on, build/sim.json (N=1 shows one whole)
	@$(BIN)/python -m warm_transfer.testing.livekit.sim --n '$(N)' --seed '$(SEED)'

proof: $(STAMP) ## walk the table, cancel, fail and trouble everywhere, build/proof.json (a quarter of an hour)
	@$(BIN)/python -m tests.properties

spin: $(STAMP) ## have the table checked a second time, by Spin, and compare, build/spin.json (minutes; needs spin and gcc)
	@$(BIN)/python -m tests.quality.promela

mutants: $(STAMP) ## break the core and the runner in every small way, build/mutants.json (forty minutes)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[mutation]'
	@$(BIN)/python -m tests.quality.code_mutants

compare: $(STAMP) ## play every row against livekit-agents' own transfer, write docs/comparison.* (half an hour; COMPARE='--simulated-only', '--row busy')
	@$(BIN)/python -m tests.compare $(COMPARE)

merges: $(STAMP) ## merge fifty calls a strategy on a real server and measure them, build/merge.json (MERGES='--merges 3')
	@$(BIN)/python -m tests.merges $(MERGES)

bench: $(STAMP) ## measure, build/bench.json (an hour on a quiet machine; BENCH='--runs 3 --only engine,imports,scale,real,load')
	@$(BIN)/python -m tests.bench $(BENCH)

diagrams: $(STAMP) ## write the generated diagrams into the documents
	$(BIN)/python -m fsm_diagrams check --write $(PAGES)
	$(BIN)/python -m tests.diagrams

$(VENV)/.site: pyproject.toml $(VENV)/.library
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

docs: $(VENV)/.site ## build the documentation's site, build/site/index.html; warnings are errors
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/site

clean: ## remove what was built; .venv and .tools stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
