# The two commands of the README are `make run` and `make test`; everything else is for people who work on the project.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: run test install lint types collect servers bench soak chaos screenshots durable-2x gateway web clean help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

$(STAMP): requirements.txt requirements-dev.txt gateway/requirements.txt telemetry_admin/requirements.txt packages/event_hubs_emulator/pyproject.toml packages/functions_host/pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (the first time takes a minute) ..."
	@$(PIP) install -r requirements-dev.txt
	@touch $@

install: $(STAMP)

web: $(STAMP)
	@$(BIN)/python -m tools.page_sources
	@$(BIN)/python web/build.py

## make run          the local host with the app and a demo fleet on http://localhost:7071
run: $(STAMP)
	@$(BIN)/python web/build.py --optional
	@exec $(BIN)/python -m tools.run $(RUN_ARGS)

## make test         everything CI runs: lint, types, the whole suite
# Bytecode is written even where the environment says otherwise: hundreds of processes start, and would all compile the app.
test: export PYTHONDONTWRITEBYTECODE =
test: lint
	@$(MAKE) --no-print-directory -j types web servers collect
	@$(PYTEST) -n 6 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) || { \
		code=$$?; test $$code -eq 1 || exit $$code; \
		echo "Once more without the others, which may have taken the machine away from them:"; \
		$(PYTEST) --last-failed --last-failed-no-failures none $(PYTEST_ARGS); }

# Every test module once, before many processes read them all at the same time: what does not even import is said first.
collect: $(STAMP)
	@$(PYTEST) --collect-only -q >/dev/null || $(PYTEST) --collect-only -q

# What the Azure adapters' tests talk to: a test that waits for its download would run out of time on a slow machine.
servers: $(STAMP)
	@$(BIN)/python -m tests.support.servers

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

## make bench        the benchmark: a table, and benchmarks/results/latest.json
bench: web
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

## make chaos        seeded chaos against a model, for ten minutes (CHAOS_ARGS="SECONDS FIRST_SEED")
chaos: $(STAMP)
	$(BIN)/python -m tests.faults.chaos $(CHAOS_ARGS)

## make screenshots  the pictures in docs/, of the running host and fleet
screenshots: web
	$(BIN)/python -m tests.browser.screenshots

## make durable-2x   the app on azure-functions-durable 2.x (Python 3.13, an environment of its own)
durable-2x: $(STAMP)
	$(BIN)/python -m tools.durable_2x $(PYTEST_ARGS)

## make gateway     what `python -m gateway` needs: real drones' MAVLink, DJI Cloud API, files (docs/connecting.md)
gateway:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -r gateway/requirements.txt
	@echo "Now: $(BIN)/python -m gateway --help"

## make soak         an hour of flight with purge on: memory and file sizes must stay flat
soak: web
	$(BIN)/python -m tools.soak $(SOAK_ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache web/dist web/node_modules
