# Two commands matter: `make demo` and `make test`. `make help` lists the rest.
# Needs Python 3.11 or newer and make; everything else is installed into .venv.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	if command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo $$name; break; fi; done)
BIN := .venv/bin
RUN := $(BIN)/python
PIP_INSTALL := $(RUN) -m pip install --disable-pip-version-check --progress-bar on
TEST_PROCESSES ?= 2
TEST_ARGS ?=
DEMO_ARGS ?=
export OMP_NUM_THREADS ?= 1
# a single-threaded demo of the loop must not depend on what the caller's shell exported
unexport DJANGO_SETTINGS_MODULE
# the demo and the tests start dozens of processes; without compiled files each compiles everything
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint format types contracts check bench bench-forecast bench-ablation bench-training bench-device bench-decisions audit clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 18

demo: .venv/.installed ## install, prepare the demo tenants, serve on http://127.0.0.1:8000 (PORT=... for another)
	@exec $(RUN) -m config.demo --stop-with-parent $(DEMO_ARGS)

test: .venv/.installed-dev ## every test, on real PostgreSQL and Valkey
	@$(RUN) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(TEST_ARGS)

lint: .venv/.installed-dev format-check types contracts check ## style, types, import contracts, Django's own checks

.PHONY: format-check
format-check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/.installed-dev ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/.installed-dev ## mypy, strict
	$(BIN)/mypy

contracts: .venv/.installed-dev ## the floors and the pure folders
	$(BIN)/lint-imports

check: .venv/.installed-dev ## missing migrations, and Django's deployment check with production settings
	$(RUN) manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy"
	@STOCKCAST_ENV=production DJANGO_ALLOWED_HOSTS=stockcast.example \
		DJANGO_SECRET_KEY="$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
		DATABASE_URL=postgres://wms_app@db.example/stockcast REDIS_URL=redis://cache.example/0 \
		$(RUN) -W error::DeprecationWarning:config manage.py check --deploy --fail-level WARNING

bench: bench-forecast bench-training bench-decisions bench-allocation ## every published figure

bench-forecast: .venv/.installed-dev ## forecast accuracy on the public data beside the checkout
	$(RUN) -m benchmarks.forecast --seeds 0,1,2

bench-ablation: .venv/.installed-dev ## what each idea in the networks is worth, on days before the first origin
	$(RUN) -m benchmarks.ablation

bench-decisions: .venv/.installed-dev ## what the suggestions cost and save, simulated
	$(RUN) -m benchmarks.decisions --seeds 0,1,2 --series 200 --cache .stockcast/bench
	$(RUN) -m benchmarks.deliveries
	$(RUN) -m benchmarks.stockouts --cache .stockcast/bench
	$(RUN) -m benchmarks.suggestions

bench-training: .venv/.installed-dev ## how fast a network learns, and what a large tenant takes of memory and time
	$(RUN) -m benchmarks.training_speed
	$(RUN) -m benchmarks.scale

bench-device: .venv/.installed-dev ## what a GPU brings, where there is one
	$(RUN) -m benchmarks.device --out benchmarks/results/device.json

bench-allocation: .venv/.installed-dev ## how long a wave of 1,000 order lines takes to be promised its stock
	$(RUN) -m benchmarks.allocation

audit: .venv/.installed-dev ## known security holes in what is installed
	$(BIN)/pip-audit -r requirements.txt --no-deps --disable-pip

clean: ## forget the demo's data and the tools' caches; keep .venv
	rm -rf .stockcast .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage*

.venv/bin/python:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed and was not found; install it, or run make PYTHON=/path/to/python" >&2; exit 1; fi
	@echo "==> Creating the environment .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt | .venv/bin/python
	@echo "==> Installing what Stockcast runs on (once; PyTorch is the large part)"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements.txt requirements-dev.txt | .venv/bin/python
	@echo "==> Installing what Stockcast runs on and what its checks need (once)"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ .venv/.installed
