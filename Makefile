# `make` lists the targets. .venv is made from pyproject.toml, once; under sudo it belongs to
# the user who called sudo.

SHELL := /bin/bash
# --norc: a shell that takes itself for sshd's reads ~/.bashrc, which is not written for -u.
.SHELLFLAGS := --norc -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
DOCS_VENV = $(VENV)-docs
# Where vagrant/provision.sh says that .venv is elsewhere: a synced folder cannot hold it.
-include /etc/wirelab.mk
PIP := $(VENV)/bin/pip --disable-pip-version-check --no-cache-dir
# The system's interpreter first: one in a private folder is of no use to the .venv's other
# users, and sudo does not find it.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	command -v "$$p" && break; done)
WIRELAB := WIRELAB_CALLED_AS=./wirelab $(VENV)/bin/wirelab
FAMILY ?= 4
OUT ?= runs
# Where the site's runs come from: made for it, or recorded, where none can be made.
RUNS ?= made
# Under sudo nothing of root's may be left among the user's files: bytecode is written once,
# when .venv is made.
export PYTHONDONTWRITEBYTECODE ?= $(if $(SUDO_UID),1)

.PHONY: help setup scenarios compare doctor test test-fast test-browser lint coverage blind check soak \
	matrix bench-grade bench-setup bench-run bench-trace bench-source bench-wire bench-many bench-frames \
	bench-capture bench-show bench-sweep picture docs against vm-validate vm-test clean

help: ## list the targets
	@echo "make TARGET, or sudo make TARGET:"
	@sed -nE 's/^([a-z%-]+):.*## (.*)/\1\t\2/p' Makefile | \
	while IFS=$$'\t' read -r target text; do printf '  %-14s %s\n' "$$target" "$$text"; done

# Making .venv again empties it: the development tools that were there come back.
setup: $(VENV)/.ready $(wildcard $(VENV)/.ready-dev) ## set up .venv, which every other target does too
	@$(COMPILE_STOPS); $(GIVE_TO_INVOKER)

scenario-%: $(VENV)/.ready ## run a scenario, such as scenario-tcp (FAMILY=4, 6 or both; OUT=folder)
	@$(WIRELAB) run $* --family $(FAMILY) --out $(OUT)

scenarios: $(VENV)/.ready ## run all, IPv4 and IPv6; end with the table of statements
	@$(WIRELAB) scenarios --out $(OUT)

compare: $(VENV)/.ready ## the same messages over TCP, UDP and unix, side by side
	@$(WIRELAB) compare --out $(OUT)

doctor: $(VENV)/.ready ## report what this machine allows, and how to mend what it lacks
	@$(WIRELAB) doctor

test: $(VENV)/.ready-dev ## run all tests or TESTS=path; as root, the kernel tests as an ordinary user too
	@VENV=$(VENV) tests/run $(TESTS)

# No program is started, so that what is written is written by Python: descriptors are left alone.
test-fast: $(VENV)/.ready-dev ## run the tests that need no kernel and no other program, on every core
	@$(VENV)/bin/python -m pytest --forks auto --capture=sys -m 'not kernel and not programs' $(TESTS)

test-browser: $(VENV)/.ready-dev ## run the tests that open report.html, and the site once it is built, in Chromium, which must be there
	@$(VENV)/bin/python -m pytest -n auto --dist worksteal -m browser tests/report tests/docs

coverage: $(VENV)/.ready-dev ## how much of lab/ is run by the tests that need no kernel
	@VENV=$(VENV) tests/coverage

blind: $(VENV)/.ready-dev ## claim × instrument: what every claim says while an instrument is gone or lies
	@PYTHONPATH=tests/support/pure $(VENV)/bin/python -m tests.blind

lint: $(VENV)/.ready-dev ## ruff, mypy (strict but for tests), the import rule
	$(VENV)/bin/ruff check --no-cache .
	$(VENV)/bin/ruff format --no-cache --check .
	$(VENV)/bin/mypy --cache-dir=/dev/null
	$(VENV)/bin/pytest tests/project/house/test_architecture.py

check: lint test ## lint and test

soak: $(VENV)/.ready ## all scenarios 20 times beside 4 busy processes
	@$(VENV)/bin/python -m tests.scenarios.soak

matrix: $(VENV)/.ready-dev ## right programs and every mutant graded by the sheets: who is told what
	@$(VENV)/bin/python -m tests.sheets.matrix

bench-grade: $(VENV)/.ready ## 300 programs graded two at a time, twice: how long, and the same scores
	@$(VENV)/bin/python -m tests.benchmarks.grade

bench-setup: $(VENV)/.ready ## build chains, stars and dumbbells, against Mininet in the same run
	@$(VENV)/bin/python -m tests.benchmarks.setup

bench-run: $(VENV)/.ready ## a whole `wirelab run tcp`, against Mininet in the same run
	@$(VENV)/bin/python -m tests.benchmarks.run

bench-trace: $(VENV)/.ready ## what tracing costs, against capture alone in the same run
	@$(VENV)/bin/python -m tests.benchmarks.trace

bench-source: $(VENV)/.ready ## what --source costs a program, against the same program without it
	@$(VENV)/bin/python -m tests.benchmarks.source

bench-wire: $(VENV)/.ready ## what passing through a link's wire costs, against the same link without one
	@$(VENV)/bin/python -m tests.benchmarks.wire

bench-many: $(VENV)/.ready ## what a connection costs of 1,000, 4,000 and 20,000, in time and memory
	@$(VENV)/bin/python -m tests.benchmarks.many

bench-frames: $(VENV)/.ready ## what a frame costs of 50,000 and 500,000, in time and memory
	@$(VENV)/bin/python -m tests.benchmarks.large.frames

bench-capture: $(VENV)/.ready ## what capturing at full speed loses and costs, against tcpdump and dumpcap
	@$(VENV)/bin/python -m tests.benchmarks.capture

bench-show: $(VENV)/.ready ## `wirelab show` of 1,000 to 1,000,000 frames, against tshark and tcpdump
	@$(VENV)/bin/python -m tests.benchmarks.show

bench-sweep: $(VENV)/.ready-dev ## runs of a sweep one after another and two at a time, in turns
	@$(VENV)/bin/python -m tests.benchmarks.sweeps.rate

picture: $(VENV)/.ready-dev ## draw README's pictures again, of a ladder and of report.html
	@$(WIRELAB) report tests/recordings/traced-tcp4 --format svg --output docs/tcp.svg
	@PYTHONPATH=tests/support/pages $(VENV)/bin/python tests/support/pages/screenshot.py traced-tcp4 docs/html.png

docs: $(DOCS_VENV)/.ready ## build the site in site/, of runs made for it (RUNS=recorded: of recorded ones)
	@$(DOCS_VENV)/bin/python -m site_pages build/site site $(if $(filter recorded,$(RUNS)),--recorded)
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict --quiet --config-file build/site/mkdocs.yml
	@if [ "$$(id -u)" = 0 ] && [ -n "$${SUDO_UID:-}" ]; then \
		chown -R "$$SUDO_UID:$$SUDO_GID" build site; \
	fi
	@echo "site/index.html"

against: $(VENV)/.ready ## what replays give and runs cost here and at COMMIT=, side by side
	@$(VENV)/bin/python -m tests.against.replays $(COMMIT)
	@$(VENV)/bin/python -m tests.against.cost $(COMMIT)

vm-validate: ## validate the Vagrantfile; shellcheck every shell script
	@tests/vm/validate

vm-test: ## as root: the lab in Debian virtual machines of its own (VM_CACHE=, VM_LOG=)
	@tests/vm/run --out $(OUT)/vm $(if $(VM_CACHE),--cache $(VM_CACHE)) $(if $(VM_LOG),--log $(VM_LOG))

clean: ## remove .venv, runs and caches
	rm -rf $(VENV) $(DOCS_VENV) runs build/site site .hypothesis .ruff_cache .mypy_cache .pytest_cache
	find lab scenarios tests -name __pycache__ -type d -prune -exec rm -rf {} +

# What a package from PyPI cannot bring. None of them is compiled here, and no compiler is needed.
define FIND_MISSING
missing=(); \
if [ -z "$(PYTHON)" ] && command -v python3 >/dev/null; then \
	echo "wirelab needs Python 3.11 or newer, and python3 is $$(python3 --version); to mend:" >&2; \
	echo "  a newer Debian or Ubuntu, or make PYTHON=/path/to/a/newer/python3" >&2; \
	exit 1; \
fi; \
[ -n "$(PYTHON)" ] || missing+=(python3); \
if [ -n "$(PYTHON)" ]; then \
	"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv); \
fi; \
if [ $${#missing[@]} -gt 0 ]; then \
	echo "wirelab needs $${missing[*]} (Python 3.11 or newer); to mend:" >&2; \
	echo "  sudo apt-get install $${missing[*]}" >&2; \
	exit 1; \
fi
endef

# What nothing needs and ptrace is faster with: compiled where there is cc, again for another source.
COMPILE_STOPS = $(VENV)/bin/python -m lab.kernel.trace.ptrace.library

define GIVE_TO_INVOKER
if [ "$$(id -u)" = 0 ] && [ -n "$${SUDO_UID:-}" ]; then \
	find $$(ls -d $(VENV) $(DOCS_VENV) 2>/dev/null) lab scenarios \
		\( -path $(VENV) -o -path $(DOCS_VENV) -o -name __pycache__ \) -prune \
		-exec chown -R "$$SUDO_UID:$$SUDO_GID" {} +; \
fi
endef

# The sources are compiled where they may be: a synced folder can be another user's.
$(VENV)/.ready: pyproject.toml
	@$(FIND_MISSING)
	@exec >&2; umask 022; export PIP_ROOT_USER_ACTION=ignore; \
	echo "setting up $(VENV), once; 1 of 3: an environment of $(PYTHON)"; \
	"$(PYTHON)" -m venv --clear $(VENV); \
	echo "2 of 3: packages from PyPI"; \
	$(PIP) install --editable .; \
	echo "3 of 3: compiling"; \
	[ ! -w lab ] || $(VENV)/bin/python -m compileall -q lab scenarios; \
	$(COMPILE_STOPS); \
	touch $@; $(GIVE_TO_INVOKER)

$(DOCS_VENV)/.ready: pyproject.toml
	@$(FIND_MISSING)
	@exec >&2; umask 022; export PIP_ROOT_USER_ACTION=ignore; \
	echo "setting up $(DOCS_VENV), once, for the site"; \
	"$(PYTHON)" -m venv --clear $(DOCS_VENV); \
	$(DOCS_VENV)/bin/pip --disable-pip-version-check --no-cache-dir install --editable '.[docs]'; \
	touch $@; $(GIVE_TO_INVOKER)

$(VENV)/.ready-dev: $(VENV)/.ready
	@exec >&2; umask 022; export PIP_ROOT_USER_ACTION=ignore; \
	echo "adding the development tools to $(VENV), once"; \
	$(PIP) install --editable '.[dev]'; \
	touch $@; $(GIVE_TO_INVOKER)
