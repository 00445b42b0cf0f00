# `make run` starts Foyer from a fresh clone; `make test` runs its tests; `make check` runs style, types and generated files.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test check build-FoyerFunction

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
	$(BIN)/python -m tools.new_sqlite --check

# `sam build` calls this for AWS Lambda (docs/aws.md). All is compiled here, since the disk is read-only there. Tests of libraries
# and what botocore knows of other services are left out: a function has 250 MB.
LAMBDA_PYTHON ?= python3.13
LAMBDA_MACHINE ?= aarch64
LAMBDA_FILES := app.py config.py storage.py ai_responder.py notifier.py ai api auth channels commands core database deploy jobs \
	runtime services web
build-FoyerFunction:
	$(LAMBDA_PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --target "$(ARTIFACTS_DIR)" --only-binary=:all: \
		--python-version 3.13 --platform manylinux_2_28_$(LAMBDA_MACHINE) --platform manylinux2014_$(LAMBDA_MACHINE) \
		-r requirements.txt -r requirements-aws.txt
	find "$(ARTIFACTS_DIR)" -type d -name tests -prune -exec rm -r {} +
	find "$(ARTIFACTS_DIR)/botocore/data" -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sns ! -name lambda ! -name sts -exec rm -r {} +
	cp -R $(LAMBDA_FILES) "$(ARTIFACTS_DIR)"
	install -d "$(ARTIFACTS_DIR)/data" && cp data/demo_*.json "$(ARTIFACTS_DIR)/data"
	find "$(ARTIFACTS_DIR)" -type d -name __pycache__ -prune -exec rm -r {} +
	$(LAMBDA_PYTHON) -m compileall -q --invalidation-mode unchecked-hash "$(ARTIFACTS_DIR)"

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
