# `make` lists the targets. .venv is made from pyproject.toml, once, and belongs to whoever
# called make: under sudo, to the user who called sudo.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
# The system's interpreter first: one from a private folder (/root/.pyenv) would be of no use
# to the other users of the .venv, and sudo would not find it.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	command -v "$$p" && break; done)
WIRELAB := $(VENV)/bin/wirelab
FAMILY ?= 4
# As the invoking user, where sudo was used.
ifeq ($(shell id -u),0)
ifneq ($(SUDO_UID),)
AS_INVOKER := setpriv --reuid=$(SUDO_UID) --regid=$(SUDO_GID) --init-groups env HOME=$$(getent passwd $(SUDO_UID) | cut -d: -f6)
endif
endif

.PHONY: help test check clean venv bench-setup bench-run doctor

help: ## list the targets
	@echo 'Usage: make TARGET      (sudo make TARGET, for the kernel'"'"'s own instruments)'
	@grep -hE '^[a-z%-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | \
	  awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'

scenario-%: $(VENV)/.ready ## run a scenario, such as scenario-tcp (FAMILY=4, 6 or both)
	@$(WIRELAB) run $* --family $(FAMILY)

doctor: $(VENV)/.ready ## tell what this machine allows, and how to mend it
	@$(WIRELAB) doctor

test: $(VENV)/.ready-dev ## run every test: as you are, and the kernel tests as another user too
	@bash tests/run

check: $(VENV)/.ready-dev ## ruff, mypy --strict, import rule, tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	@bash tests/run

bench-setup: $(VENV)/.ready ## build chains of hosts; compare with Mininet
	@$(VENV)/bin/python -m benchmarks.setup

bench-run: $(VENV)/.ready ## time a whole `wirelab run tcp`; compare with Mininet
	@$(VENV)/bin/python -m benchmarks.run

clean: ## remove .venv, runs and caches
	rm -rf $(VENV) runs build dist .mypy_cache .ruff_cache .hypothesis .pytest_cache
	find lab scenarios tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

venv: $(VENV)/.ready ## set up .venv

$(VENV)/.ready: pyproject.toml
	@bash vagrant/../tools/prerequisites
