# Two commands matter: `make run` and `make test`. All need only make, git and Python 3.11.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: run test setup setup-test lint unit browser bench faults conformance shots messages lock

run: setup
	@$(BIN)/python -m scrm.run --with-parent

# Browser tests run apart: Playwright keeps an event loop in its process. One that ran into the clock is played again.
# Three processes keep two cores busy: many tests wait, for a lease, a restart or a browser.
test: setup-test lint
	@$(BIN)/python -m pytest -n 3 --dist worksteal --reruns 1 --ignore tests/browser --ignore tests/stack
	@$(BIN)/python -m pytest -n 3 --dist worksteal --reruns 1 tests/browser tests/stack

setup:
	@$(PYTHON) scrm/bootstrap.py requirements.txt

setup-test:
	@$(PYTHON) scrm/bootstrap.py requirements.txt requirements-dev.txt
	@$(BIN)/python -m tests.chromium

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

# All but what starts browsers or whole installations.
WHOLE := tests/browser tests/stack tests/faults tests/load tests/platform
unit: setup-test
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(addprefix --ignore ,$(WHOLE))

browser: setup-test
	@$(BIN)/python -m pytest -m browser

# Prints its figures as JSON.
bench: setup-test
	@$(BIN)/python manage.py bench

# Every crash point, then the seeded storm of faults: make faults SEED=7 MINUTES=10
faults: setup-test
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

# Holds every answer of the X sandbox against the official specification: make conformance SPEC=FILE
conformance: setup-test
	@$(BIN)/python -m channels_ingest.sandbox.conformance $(SPEC)

# Pictures of every page, into test-results/shots.
shots: setup-test
	@$(BIN)/python -m tests.shots

# Brings the catalogues of all languages up to date with the source, and compiles them. Needs gettext (apt-get install gettext).
messages: setup-test
	$(BIN)/python manage.py makemessages --all --no-location --no-wrap -e html,jinja,py,txt -i .venv -i tests
	$(BIN)/python manage.py compilemessages --verbosity 0

# Writes both lock files anew, from the package index alone.
PIN := PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= $(BIN)/pip-compile -q --generate-hashes --strip-extras \
	--allow-unsafe --no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock: setup-test
	$(PIN) -o requirements.txt requirements.in
	$(PIN) -o requirements-dev.txt requirements-dev.in
