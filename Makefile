# Thin: each target makes what it needs, says so, and calls the real command. Needs Python 3.11 and make, nothing else.

PYTHON   ?= python3
BIN      := .venv/bin
PIP      := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PACKS    := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
PROJECTS := pyproject.toml core/pyproject.toml $(PACKS:%=%/pyproject.toml) constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench load clean

help:
	@echo 'make demo                a demo organisation on 127.0.0.1:8060, with a tour (ARGS=--tour ends after it)'
	@echo 'make test                every check there is, on SQLite and, where TEST_POSTGRES_URL is set, on Postgres'
	@echo 'make lint                style, imports and types only'
	@echo 'make docs                writes docs/tools.md anew, from the code'
	@echo 'make bench               side by side with the SDK and its peers (ARGS=--help)'
	@echo 'make load                replicas under a realistic load, and what they take of it (ARGS=--quick for a short one)'
	@echo 'make clean               remove everything that these made'

demo: .venv/.sixty
	@$(BIN)/sixty demo $(ARGS)

test: .venv/.tox
	@rm -f .coverage .coverage.*
	@$(BIN)/tox run-parallel --parallel-no-spinner --no-list-dependencies $(ARGS)

lint: .venv/.tox
	@$(BIN)/tox run --no-list-dependencies -e lint,types $(ARGS)

docs: .venv/.sixty
	@$(PIP) -e "./core[testing]"
	@$(BIN)/python tests/docs/reference.py

bench: .venv/.bench
	@$(BIN)/python -m benchmarks $(ARGS)

load: .venv/.sixty
	@$(BIN)/python -m benchmarks load $(ARGS)

clean:
	rm -rf .venv .tox .sixty-demo .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache benchmarks/results

# What is installed is remembered in stamp files, and installed again when a pyproject or the constraints changed.

$(BIN)/pip:
	@echo 'Making .venv with $(PYTHON) ...'
	@$(PYTHON) -m venv .venv

.venv/.sixty: $(PROJECTS) | $(BIN)/pip
	@echo 'Installing Sixty and its packs into .venv: a minute or so, the first time ...'
	@$(PIP) -e ./core $(PACKS:%=-e ./%) -e .
	@touch $@

.venv/.tox: $(PROJECTS) | $(BIN)/pip
	@echo 'Installing tox into .venv; it makes one environment per question under .tox, a few minutes the first time ...'
	@$(PIP) tox
	@rm -rf .tox
	@touch $@

.venv/.bench: benchmarks/requirements.txt .venv/.sixty
	@echo 'Installing the peers to measure against into .venv ...'
	@$(PIP) -r benchmarks/requirements.txt
	@touch $@
