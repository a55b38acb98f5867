# Guildhall: every command a contributor or an operator types. `make help` lists them.
#
# `make run` and `make test` work on a fresh machine with python3 (3.11 or newer), make and git:
# portal/foundation/bootstrap.py builds .venv from requirements.txt and looks after the libraries
# of the operating system. It runs again only when something changed.

PYTHON ?= python3
DATA ?= ../shared/data
BIN := .venv/bin
BOOTSTRAP := $(PYTHON) -I portal/foundation/bootstrap.py
CATALOGUES := $(wildcard portal/foundation/translations/*/LC_MESSAGES/messages.po)
PACKAGES := portal loyalty wsgi.py
# Tests write their own data and speak to nobody: nothing of the operator's settings reaches them.
QUIET := env -u DATABASE_URL -u REDIS_URL -u MAIL_URL -u BASE_URL -u CLOCK -u DATA_DIR -u DEMO

# Python keeps what it compiles: a start takes a third of the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run setup setup-tests translate test check lint bench accept vendor lock format translations
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: setup ## Set up, migrate, load the demo when empty, then serve web and jobs (Ctrl-C ends both)
	@exec $(BIN)/python -m portal.foundation.start

setup: ## Build .venv and see to the system's libraries; starts nothing
	@$(BOOTSTRAP) run
	@$(MAKE) translate

setup-tests:
	@$(BOOTSTRAP) test
	@$(MAKE) translate

translate: $(CATALOGUES:.po=.mo)
	@:

%.mo: %.po
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

test: setup-tests ## Run all tests: units, journeys, browser, SQLite and PostgreSQL
	@$(QUIET) $(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: setup-tests lint ## What CI runs: lint, types, contracts, migrations, then all tests
	@$(MAKE) test

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/mypy $(PACKAGES) tests
	$(BIN)/lint-imports --no-logo
	@echo "migrations against models"
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT \
		&& $(QUIET) DATA_DIR="$$data" $(BIN)/flask --app wsgi db upgrade \
		&& $(QUIET) DATA_DIR="$$data" $(BIN)/flask --app wsgi db check

format: ## Put the code into its common form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup-tests ## Run the benchmarks, each beside its raw limit; one JSON line each
	@$(QUIET) $(BIN)/python -m tests.bench $(ARGS)

accept: setup ## Compare real data (DATA=../shared/data) with what is expected of it
	@$(QUIET) DATA="$(DATA)" $(BIN)/python -m tests.acceptance $(ARGS)

lock: setup ## Resolve requirements.in into requirements.txt (UPGRADE=1 for newer versions)
	$(BIN)/uv pip compile requirements.in --output-file requirements.txt --generate-hashes \
		--universal --python-version 3.11 --no-header --no-emit-index-url --quiet \
		$(if $(UPGRADE),--upgrade)

translations: setup ## Collect new texts into the translation files
	@$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --keywords "_l _n:1,2" \
		--no-location --sort-output --omit-header --output-file .messages.pot \
		portal loyalty templates
	@$(BIN)/pybabel --quiet update --input-file .messages.pot --no-fuzzy-matching \
		--ignore-pot-creation-date --no-wrap --output-dir portal/foundation/translations; status=$$?; rm -f .messages.pot; exit $$status

vendor: ## Fetch the front-end libraries of package.json into static/vendor
	npm ci --ignore-scripts --no-audit --no-fund
	npm run --silent vendor
