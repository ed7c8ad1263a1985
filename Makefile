# Needs Python 3.11 or later, make and a package index. Everything else goes to .venv/.

PORT ?= 8000
HOST ?=
PYTEST_ARGS ?=
PHONES ?= 1000
WINDOW ?= 3
SECONDS ?= 600
SEED ?= 1
STACK ?= both
SERVER ?= daphne
BALLOTS ?= 15000000
FUZZ_EXAMPLES ?= 3000

.DEFAULT_GOAL := help
.PHONY: help demo test test-all bench budget archive soak fuzz lint scripts docs-check format types lock screenshots messages clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
RUN_READY := .venv/run.stamp
DEV_READY := .venv/dev.stamp
BENCH_READY := .venv/bench.stamp
SCRIPTS_READY := tests/scripts/node_modules/ready.stamp

# A worker keeps the tests of a file together, and with them the server that they share.
PYTEST := $(PY) -m pytest -n auto --dist worksteal

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUN_READY)  ## start a demo on this machine; PORT=8011 and HOST=0.0.0.0 choose where
	@$(PY) manage.py demo --port $(PORT) $(if $(HOST),--host $(HOST))

test: $(DEV_READY)  ## prove the main job, with a browser where there is one; PYTEST_ARGS="-k rank" chooses some
	@$(PYTEST) -m 'not slow and not stack and not outage and not looks' $(PYTEST_ARGS)

# What asks for no database of the run (`once`) is the same on both stacks and runs on one of them.
test-all: $(DEV_READY)  ## what `make test` leaves out: outages, floods, soaks' seeds, budgets, PostgreSQL and Redis
	@status=0; $(PYTEST) -m 'slow or outage or looks or (stack and once)' $(PYTEST_ARGS) || status=1; \
	if [ -n "$$TEST_DATABASE_URL" ] && [ -n "$$TEST_REDIS_URL" ]; then \
	  DATABASE_URL=$$TEST_DATABASE_URL REDIS_URL=$$TEST_REDIS_URL \
	    $(PYTEST) -m 'not slow and not once and not looks' $(PYTEST_ARGS) || status=1; \
	else echo "TEST_DATABASE_URL and TEST_REDIS_URL name no services: the tests on them were left out"; fi; \
	exit $$status

bench: $(BENCH_READY)  ## compare our server with a reference and the tutorial design; PHONES=5000 WINDOW=0 choose how
	@$(PY) manage.py loadtest --compare --phones $(PHONES) --window $(WINDOW) --json var/bench.json

budget: $(DEV_READY)  ## what joining, voting and an hour cost a phone, against their goals
	@$(PY) -m tests.budget

archive: $(DEV_READY)  ## what a programme's page asks of a database with 15 million ballots; BALLOTS=400000 STACK=sqlite
	@$(PY) -m tests.archive --ballots $(BALLOTS) --stack $(STACK:both=postgres)

soak: $(DEV_READY)  ## let things go wrong while people vote, and look for broken promises; SECONDS=600 SEED=7 STACK=postgres
	@$(PY) -m tests.history --seconds $(SECONDS) --seed $(SEED) --stack $(STACK) --server $(SERVER)

fuzz: export FUZZ_EXAMPLES := $(FUZZ_EXAMPLES)
fuzz: $(DEV_READY)  ## odd input at every address, form and frame, another each time; FUZZ_EXAMPLES=20000
	@status=0; $(PYTEST) --tb=short --show-capture=no tests/fuzz || status=1; \
	if [ -n "$$TEST_DATABASE_URL" ] && [ -n "$$TEST_REDIS_URL" ]; then \
	  DATABASE_URL=$$TEST_DATABASE_URL REDIS_URL=$$TEST_REDIS_URL $(PYTEST) --tb=short --show-capture=no tests/fuzz || status=1; \
	else echo "TEST_DATABASE_URL and TEST_REDIS_URL name no services: only SQLite was tried"; fi; \
	exit $$status

lint: $(DEV_READY)  ## style, types, templates, scripts, architecture, known faults of packages; without the tests
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/djlint templates --lint --quiet
	@find templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 --check {} +
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/mypy
	@$(PY) -m tests.audit
	@if command -v npm >/dev/null; then $(MAKE) scripts; else echo "npm is not here: the browser's scripts were not checked"; fi

scripts: $(SCRIPTS_READY)  ## types and style of the browser's scripts; needs npm
	@tests/scripts/node_modules/.bin/tsc --project tests/scripts
	@tests/scripts/node_modules/.bin/eslint --config tests/scripts/eslint.config.mjs workshops/static visions/static

format: $(DEV_READY)  ## put code and templates into the common form
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .
	@find templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 {} + || true

# The locks name versions and hashes only: each machine's own pip settings say where packages come from.
COMPILE := .venv/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host \
	--no-emit-find-links --strip-extras --allow-unsafe
lock: export CUSTOM_COMPILE_COMMAND = make lock
lock: $(DEV_READY)  ## choose versions anew and write requirements/*.txt; takes some minutes
	@echo "Choosing versions for the project…"
	@$(COMPILE) --upgrade -o requirements/lock.txt pyproject.toml
	@echo "Choosing versions for its development…"
	@$(COMPILE) --upgrade --extra dev -c requirements/lock.txt -o requirements/dev.txt pyproject.toml
	@echo "Choosing versions for its benchmark…"
	@$(COMPILE) --upgrade --extra bench -c requirements/lock.txt -o requirements/bench.txt pyproject.toml
	@echo "Written: requirements/lock.txt, requirements/dev.txt and requirements/bench.txt"

docs-check: $(DEV_READY)  ## run every command of README and docs, and look up all that they name
	@$(PY) -m tests.docs_check

screenshots: $(DEV_READY)  ## picture every screen of the running demo
	@$(PY) -m tests.screenshots

messages: $(DEV_READY)  ## collect every string that users see into locale/; LOCALE=cy begins a language
	@$(PY) manage.py makemessages $(if $(LOCALE),--locale $(LOCALE),--all) --no-obsolete --add-location file --ignore '.venv/*' --ignore 'tests/*'

clean:  ## remove the environment and what tools left behind; var/ with its data stays
	@rm -rf .venv tests/scripts/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ------------------------------------------------------------------------------

# The first of these that is 3.11 or later. Asked only when the environment has to be made.
FIND_PYTHON = for python in python3 python3.11 python3.12 python3.13 python3.14; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; \
	done

.venv/bin/python:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "Vision Workshops needs Python 3.11 or later, and none is on this machine's path."; exit 1; fi; \
	echo "Making an environment in .venv/ with $$($$python --version)…"; \
	"$$python" -m venv .venv || { rm -rf .venv; \
	  echo "This Python cannot make environments. On Debian and Ubuntu, install the package python3-venv."; exit 1; }

# $(1): lock file. Says how far it is; on failure, says what pip said.
define install
	@total=$$(grep -c '==' $(1)); \
	echo "Installing $$total packages from $(1)…"; \
	{ $(PY) -m pip install --no-input --disable-pip-version-check --require-hashes -r $(1) 2>&1 \
	  || echo "ERROR: pip could not install $(1)"; } \
	| awk -v total="$$total" ' \
	  /^(Collecting|Processing|Requirement already satisfied)/ { if (++n % 10 == 0) { print "  " n " of " total; fflush() } } \
	  /^Installing collected/ { print "  all here, unpacking…"; fflush() } \
	  /^ERROR/ { failed = 1 } \
	  /^(ERROR|WARNING: Retrying)/ || (failed && NF) { print "  " $$0 } \
	  END { exit failed }'
	@touch $@
endef

$(RUN_READY): requirements/lock.txt | .venv/bin/python
	$(call install,requirements/lock.txt)

$(DEV_READY): requirements/dev.txt | .venv/bin/python
	$(call install,requirements/dev.txt)

$(BENCH_READY): requirements/bench.txt | .venv/bin/python
	$(call install,requirements/bench.txt)

$(SCRIPTS_READY): tests/scripts/package-lock.json
	@npm --prefix tests/scripts ci --silent --no-audit --no-fund
	@touch $@
