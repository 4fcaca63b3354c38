# Two commands: `make run` starts everything, `make test` judges it. Arguments: ARGS="…".

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Nothing is installed but files whose hashes the locks name.
PIP := -m pip install --quiet --disable-pip-version-check --require-hashes -r
LOCKS := requirements/locks.py
UV = $(VENV)/tools-locks/bin/uv --no-config
ARGS ?=
# Debian keeps ensurepip in a package of its own.
INSTALL_VENV := apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
# Test processes side by side, each with whole files: half of the suite's time is waiting.
JOBS ?= 3
SIDE_BY_SIDE := -n $(JOBS) --dist loadfile --no-loadscope-reorder
# Python without the ending that tools look for.
SCRIPTS := .ci/judge .ci/start .ci/words

# The suite never reaches a real fal, whatever is set in the shell it is started from; and what
# one process has compiled, the next need not compile again.
HERMETIC := env -u FAL_KEY -u FAL_KEY_FILE -u PUBLIC_URL -u PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-quick test-all test-fal test-services scan chaos lint pages bench \
	openapi lock outdated sbom audit clean

help:
	@echo "make run            start everything; ARGS=\"--port 8080\" for another port"
	@echo "make test           the tests, of the slow ones every tenth; ARGS=tests/fal for a part of it"
	@echo "make test-quick     the tests without Chromium, Node.js and processes of their own"
	@echo "make test-all       the whole test suite, as make test SLOW=all"
	@echo "make test-fal       queue, run, stream and realtime against a real fal.App on this machine"
	@echo "make test-services  the same on PostgreSQL and Redis, which it starts itself"
	@echo "make scan           Wapiti, a scanner for vulnerabilities, at a running copy and at planted faults"
	@echo "make chaos          kill real processes and spoil the wire; ARGS=--full, --plants, --outage, --gateway"
	@echo "make lint           style, types, scripts, templates, migrations, deployment checks"
	@echo "make pages          Lighthouse's scores of three pages; fails well below the goals"
	@echo "make bench          measure start, latency, the list, the sweep"
	@echo "make openapi        docs/openapi.json anew after a change of the API"
	@echo "make lock           the locks anew after a change of requirements*.txt; ARGS=--upgrade for newer versions of the rest"
	@echo "make outdated       what is installed and has a newer version"
	@echo "make sbom           the bill of materials of what make run installs: sbom.cdx.json"
	@echo "make audit          known vulnerabilities of what the locks name; asks the advisory database"
	@echo "make clean          remove the virtual environment and caches; data in var/ stays"

# A stamp follows what it installed: nothing is downloaded again until the list changes.
$(VENV)/.made:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name one with PYTHON=…" >&2; exit 1; }
	@"$(PYTHON)" -c "import ensurepip" 2>/dev/null || { [ "$$(id -u)" = 0 ] && $(INSTALL_VENV) >&2; } \
		|| { echo "Python has no venv here. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt requirements/lock.txt | $(VENV)/.made
	@$(BIN)/python $(LOCKS) check requirements.txt
	@echo "Installing the packages of requirements/lock.txt into $(VENV): about a minute, the first time alone."
	@$(BIN)/python $(PIP) requirements/lock.txt
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt requirements/lock-dev.txt | $(VENV)/.made
	@$(BIN)/python $(LOCKS) check requirements-dev.txt
	@echo "Installing the packages of requirements/lock-dev.txt into $(VENV): two to three minutes, the first time alone."
	@$(BIN)/python $(PIP) requirements/lock-dev.txt
	@touch $@

# .env is read here alone, so that a key kept in it never reaches the tests.
run: $(VENV)/.installed
	@set -a; if [ -f .env ]; then . ./.env; fi; set +a; \
		exec $(BIN)/python manage.py serve $(ARGS)

# Node.js comes from PyPI, Chromium from Debian when root there and by Playwright's download elsewhere.
$(VENV)/.tools: tests/tools.py tests/conformance/js/package.json tests/conformance/generated/package.json \
		requirements-contract.txt requirements/lock-contract.txt $(VENV)/.installed-dev
	@if $(BIN)/python -m tests.tools; then touch $@; fi

# SLOW=all runs all of the slow tests, SLOW=tenth every tenth; unset, CI decides. See tests/sampling.py.
test: $(VENV)/.tools
	$(HERMETIC) $(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

# What depends on Python's version: neither a browser, Node.js, nor processes.
test-quick: $(VENV)/.installed-dev
	$(HERMETIC) $(BIN)/pytest -m "not fal and not browser and not process and not conformance" \
		$(SIDE_BY_SIDE) $(ARGS)

test-all:
	@$(MAKE) --no-print-directory test SLOW=all

# fal's own package brings 90 others, so it gets an environment of its own inside ours.
$(VENV)/fal/.installed: requirements-fal.txt requirements/lock-fal.txt | $(VENV)/.made
	@$(BIN)/python $(LOCKS) check requirements-fal.txt
	"$(PYTHON)" -m venv $(VENV)/fal
	$(VENV)/fal/bin/python $(PIP) requirements/lock-fal.txt
	@touch $@

test-fal: $(VENV)/.installed-dev $(VENV)/fal/.installed
	$(HERMETIC) $(BIN)/pytest -m fal tests/fal_app $(ARGS)

# Wapiti brings 80 packages, of other versions than ours.
$(VENV)/wapiti/.installed: requirements-scan.txt requirements/lock-scan.txt | $(VENV)/.made
	@$(BIN)/python $(LOCKS) check requirements-scan.txt
	"$(PYTHON)" -m venv $(VENV)/wapiti
	$(VENV)/wapiti/bin/python $(PIP) requirements/lock-scan.txt
	@touch $@

# Nothing but this machine is asked: tests/scan/confined.py refuses the rest.
scan: $(VENV)/.installed-dev $(VENV)/wapiti/.installed
	$(HERMETIC) $(BIN)/python -m tests.scan $(ARGS)

# Left out: what touches neither database nor Redis, and what starts processes with their own.
test-services: $(VENV)/.installed-dev
	$(HERMETIC) bash .ci/services $(BIN)/pytest -m "not browser and not conformance and not fal and not process" \
		--ignore=tests/fal --ignore=tests/sandbox --ignore=tests/test_decisions_in_any_order.py \
		$(SIDE_BY_SIDE) $(ARGS)

# Real processes with a PostgreSQL and a Redis of their own; the seed is printed.
chaos: $(VENV)/.installed-dev
	$(HERMETIC) $(BIN)/python -m tests.rig $(ARGS)

# Without them scripts and styles could not be judged, so `make lint` fails.
$(VENV)/.tools-lint: tests/tools.py .ci/frontend/package.json $(VENV)/.installed-dev
	@$(BIN)/python -m tests.tools lint
	@touch $@

lint: $(VENV)/.installed-dev $(VENV)/.tools-lint
	$(BIN)/ruff check . $(SCRIPTS)
	$(BIN)/ruff format --check --quiet . $(SCRIPTS)
	$(BIN)/bandit --quiet --recursive -ll dashboard requests_app manage.py
	$(BIN)/mypy dashboard requests_app manage.py $(LOCKS)
	$(BIN)/mypy --scripts-are-modules $(SCRIPTS)
	@$(BIN)/python .ci/words $$(git ls-files '*.py' ':!tests')
	$(BIN)/djlint templates --lint --quiet
	.ci/frontend/lint $(BIN)/python
	$(HERMETIC) $(BIN)/python manage.py makemigrations --check --dry-run
	$(HERMETIC) PUBLIC_URL=https://faldeck.example BEHIND_PROXY=1 HSTS_PRELOAD=1 FAL_KEY=id:secret \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

# Lighthouse's judgement of three pages, on a machine that does nothing else meanwhile.
$(VENV)/.tools-pages: tests/tools.py .ci/pages/package.json $(VENV)/.installed-dev
	@$(BIN)/python -m tests.tools pages
	@touch $@

pages: $(VENV)/.tools-pages
	$(HERMETIC) $(BIN)/python -m tests.benchmarks.lighthouse

bench: $(VENV)/.installed-dev
	$(HERMETIC) $(BIN)/python -m tests.benchmarks $(ARGS)

# The API's description as a file: what clients are generated from; a test compares it with the code.
openapi: $(VENV)/.installed
	@$(HERMETIC) $(BIN)/python manage.py export_openapi_schema --api requests_app.api.api.api --indent 1 \
		--output docs/openapi.json
	@echo "docs/openapi.json is written."

# What reads and writes the locks, apart from what they are about.
$(VENV)/tools-locks/.installed: requirements/lock-tools.txt | $(VENV)/.made
	@"$(PYTHON)" -m venv $(VENV)/tools-locks
	@$(VENV)/tools-locks/bin/python $(PIP) requirements/lock-tools.txt
	@touch $@

# Versions in the locks stay unless requirements*.txt or ARGS=--upgrade say otherwise.
lock: $(VENV)/tools-locks/.installed
	@$(VENV)/tools-locks/bin/python $(LOCKS) renew $(ARGS)

outdated: $(VENV)/.installed-dev $(VENV)/tools-locks/.installed
	@$(UV) pip list --outdated --python $(BIN)/python

# From an environment with nothing else in it, so that licences and dependencies are known.
sbom: requirements/lock.txt $(VENV)/tools-locks/.installed
	@$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/sbom
	@$(UV) pip install --quiet --require-hashes --python $(VENV)/sbom/bin/python -r requirements/lock.txt
	@PYTHONWARNINGS=ignore $(VENV)/tools-locks/bin/cyclonedx-py environment --pyproject pyproject.toml \
		--output-reproducible --output-file sbom.cdx.json $(VENV)/sbom/bin/python
	@rm -rf $(VENV)/sbom
	@echo "sbom.cdx.json is written."

audit: $(VENV)/tools-locks/.installed
	$(VENV)/tools-locks/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/lock.txt
	$(VENV)/tools-locks/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/lock-dev.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
