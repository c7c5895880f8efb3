# Two commands do everything from nothing but Python 3.11:
#   make night      one night on the embedded default
#   make test       lint, types, import contracts, and the tests of the first tier: minutes
#   make test-all   these and all other tests
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

# Modules that are compiled once and kept: without, every process of the suite compiles all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: night official test tests-default test-rest test-all lint types web daemon lock campaigns bench scale duckdb2 clean

night: $(VENV)/.runtime
	$(BIN)/bildungsmonitor nightly

official: $(VENV)/.runtime
	$(BIN)/bildungsmonitor nightly --config config/koblenz-official.yaml --home var-official

web: $(VENV)/.runtime
	mkdir -p var/dagster
	DAGSTER_HOME=$(CURDIR)/var/dagster DAGSTER_DISABLE_TELEMETRY=yes $(BIN)/dagster-webserver -w workspace.yaml

daemon: $(VENV)/.runtime
	mkdir -p var/dagster
	DAGSTER_HOME=$(CURDIR)/var/dagster DAGSTER_DISABLE_TELEMETRY=yes $(BIN)/dagster-daemon run -w workspace.yaml

# Types take one core for a minute, tests have both: together they end sooner than one after the other.
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory -j2 types tests-default

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.dev
	$(BIN)/mypy

# Tests that share fixtures stay on one worker; which, and in what order, says tests/conftest.py.
PYTEST = $(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder --durations=20 --durations-min=1
tests-default: $(VENV)/.dev
	$(PYTEST) -m "not full_tier"

# Every test that `test` leaves out, once.
test-rest: $(VENV)/.dev
	$(PYTEST) -m full_tier

test-all:
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-rest

# Long campaigns: hundreds of publications, nights killed at random moments. Not part of `test`.
campaigns: $(VENV)/.dev
	$(BIN)/python -m tests.campaigns.same_bytes
	$(BIN)/python -m tests.campaigns.stranger
	$(BIN)/python -m tests.campaigns.kills --kills 30
	$(BIN)/python -m tests.campaigns.publications --publications 20
	$(BIN)/python -m tests.campaigns.network --nights 100
	$(BIN)/python -m tests.campaigns.mutations --deliveries 200
	$(BIN)/python -m tests.campaigns.findings --seeds 100
	$(BIN)/python -m tests.campaigns.planted_city --seeds 20
	$(BIN)/python -m tests.campaigns.increments --nights 40
	$(BIN)/python -m tests.campaigns.traps
	$(BIN)/python -m tests.campaigns.gate_mutations
	$(BIN)/python -m tests.campaigns.faults --variations 10 --clean 50
	$(BIN)/python -m tests.campaigns.disclosure --tables 3000 --mutations 500
	$(BIN)/python -m tests.campaigns.releases
	$(BIN)/python -m tests.campaigns.readers --publications 20 --rollbacks 5 --readers 8
	$(BIN)/python -m tests.campaigns.publisher_kills --kills 50

# The peer of the reading benchmark needs pandas 2: it gets an environment of its own.
bench: $(VENV)/.dev $(VENV)-pystatis/.done
	$(BIN)/python -m tests.benchmarks.night --against a94b228
	$(BIN)/python -m tests.benchmarks.registers
	$(BIN)/python -m tests.benchmarks.gate
	$(BIN)/python -m tests.benchmarks.disclosure
	$(BIN)/python -m tests.benchmarks.publishing
	$(BIN)/python -m tests.benchmarks.questions
	$(BIN)/python -m tests.benchmarks.reading --peer-python $(VENV)-pystatis/bin/python

# Ten years of 36 districts' registers; about an hour on two cores.
scale: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks.scale --scale 36 --years 10

# The second leg: the same tests of whole nights with DuckDB 2.
duckdb2: $(VENV)-duckdb2/.dev
	$(VENV)-duckdb2/bin/pytest tests/unit tests/contract tests/component tests/journey tests/nights

# uv installs in seconds what takes pip minutes, and compiles it. Where only pip knows the way to a mirror, pip does it.
install = { $(BIN)/pip install --quiet --require-hashes -r requirements-uv.txt && \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r $(1); } || \
	$(BIN)/pip install --quiet --require-hashes -r $(1)

$(VENV)/.runtime: requirements.lock requirements-uv.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(call install,requirements.lock)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# The development lock holds the runtime's packages too: one installation serves both.
$(VENV)/.dev: requirements-dev.lock requirements-uv.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(call install,requirements-dev.lock)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@ $(VENV)/.runtime

$(VENV)-pystatis/.done:
	$(PYTHON) -m venv $(VENV)-pystatis
	$(VENV)-pystatis/bin/pip install --quiet pystatis==0.5.5
	touch $@

$(VENV)-duckdb2/.dev: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)-duckdb2
	$(VENV)-duckdb2/bin/pip install --quiet --require-hashes -r requirements-dev.lock
	$(VENV)-duckdb2/bin/pip install --quiet --upgrade "duckdb>=2,<3"
	$(VENV)-duckdb2/bin/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Locks without registry addresses; hatchling and editables build the package itself offline.
COMPILE = uv pip compile --universal --generate-hashes --no-strip-extras --no-annotate --no-header \
	--python-version 3.11 --constraint requirements-base.txt --quiet
lock:
	$(COMPILE) pyproject.toml requirements-build.txt -o requirements.lock
	$(COMPILE) pyproject.toml requirements-build.txt --extra dev -o requirements-dev.lock
	echo "uv==0.13.9" | $(COMPILE) - -o requirements-uv.txt

clean:
	rm -rf $(VENV) $(VENV)-duckdb2 $(VENV)-pystatis var var-official
