# `make run` starts Foyer from a fresh clone; `make test` runs its tests; `make check` runs style, types and generated files.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test check

run: .venv/installed
	$(BIN)/python app.py

test: .venv/installed-dev
	$(BIN)/pytest -n auto --dist worksteal -r fEs

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tools.connector --check
	$(BIN)/python -m tools.connector.check
	$(BIN)/python -m tools.api_examples.postman --check
	$(BIN)/python -m tools.api_examples.api_docs --check
	$(BIN)/python -m tools.file_list --check

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
