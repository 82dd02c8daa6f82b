# Two commands on a fresh machine: `make run` and `make test`. All that they install lies in .tools/ and .venv/.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/uv/bin/uv
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Workers of a test run. Many tests wait more than they compute.
JOBS ?= 6
.DEFAULT_GOAL := help
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

# pip --target needs neither a venv module nor a writable system Python (PEP 668 concerns only the latter).
$(UV):
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  echo "tranship: $(PYTHON) has no pip. Install it (Debian: apt install python3-pip), or name another Python: make PYTHON=/usr/bin/python3 …" >&2; exit 1; }
	@mkdir -p .tools
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
	  --target .tools/uv uv==$(UV_VERSION)

# The interpreter itself, not a shim of pyenv: for that uv would make the environment anew each time.
$(VENV)/.run: $(UV) uv.lock pyproject.toml
	@$(UV) sync --quiet --frozen --no-dev --inexact --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@

$(VENV)/.dev: $(UV) uv.lock pyproject.toml
	@$(UV) sync --quiet --frozen --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@ $(VENV)/.run

run: $(VENV)/.run  ## start Tranship (ARGS="--demo" and the like go to it)
	@$(BIN)/tranship $(ARGS)

setup: $(VENV)/.dev  ## everything that development needs

test: $(VENV)/.dev  ## all tests; real engines where they run or may be started (root on Debian)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

fast: $(VENV)/.dev  ## the tests that need no engine
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not engines and not e2e" $(ARGS)

test-gpu: $(VENV)/.dev  ## readings against nvidia-smi's, on a machine with an NVIDIA GPU
	@$(BIN)/python -m pytest -p no:cacheprovider -s tests/gpu/hardware.py $(ARGS)

lint: $(VENV)/.dev  ## ruff, import contracts
	@$(BIN)/ruff check --no-cache . && $(BIN)/ruff format --no-cache --check . && $(BIN)/lint-imports --no-cache

types: $(VENV)/.dev  ## mypy, strict
	@$(BIN)/mypy

check: lint types fast  ## what every commit passes

# uv ends with 1 where a vulnerability is known, with 2 where nobody could be asked.
audit: $(UV)  ## dependencies: uv.lock is what pyproject.toml says; vulnerabilities known to osv.dev, where it is reached
	@$(UV) lock --check --quiet
	@code=0; UV_HTTP_RETRIES=0 $(UV) audit --frozen --preview-features audit-command || code=$$?; \
	  [ $$code -ne 2 ] || { echo "tranship: NOT AUDITED: osv.dev cannot be reached from here" >&2; exit 0; }; exit $$code

bench: $(VENV)/.dev  ## benchmarks against the rivals, into benchmarks/README.md
	@benchmarks/run

docs: $(VENV)/.dev  ## docs/ and the manual page, as far as they are made from the program itself
	@$(BIN)/python -m backends.migration.document > docs/migration.md
	@$(BIN)/python -m backends.export.document > docs/export.md
	@$(BIN)/python -m tui.settings_document > docs/configuration.md
	@$(BIN)/python -m tui.keys_document > docs/keys.md
	@$(BIN)/python -m tui.cli.manual > packaging/tranship.1

screenshots: $(VENV)/.dev  ## screenshots/ from the app itself
	@$(BIN)/python -m tests.e2e.shots

recording: $(VENV)/.dev  ## screenshots/tranship.svg, a film of the app itself
	@$(BIN)/python -m tests.e2e.recording

engines-up:  ## real Docker and Podman for tests (root)
	@tests/engines/up

engines-down:  ## stop what engines-up started
	@tests/engines/down

clean:  ## remove .venv and .tools
	@rm -rf $(VENV) .tools

.PHONY: help run setup test fast test-gpu lint types check audit bench docs screenshots recording engines-up engines-down clean
