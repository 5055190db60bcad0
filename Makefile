# make demo: sample data and the dashboard. make test: every test. Both set up what they need first.

PY   ?= python3
VENV := .venv
BIN  := $(VENV)/bin
DEMO_ROWS ?= 300000
PORT ?= 8000

.PHONY: help demo test setup check bench clean servers
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p;s/^\([a-z-]*\):.*## /make \1\t/p' Makefile

demo: setup ## sample data and the dashboard on http://127.0.0.1:8000
	$(BIN)/kamioi-web demo --rows $(DEMO_ROWS) --port $(PORT)

test: setup servers ## every test, on SQLite and on PostgreSQL, and in a browser
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup $(ARGS)

check: setup ## lint, types, templates, dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/ty check kamioi_web tests
	$(BIN)/djlint --lint --quiet kamioi_web/templates
	$(BIN)/deptry .

bench: setup servers ## the figures: pages, lists, totals, imports (BENCH_ROWS=1000000,10000000 BENCH_LISTS=1500000,15000000)
	$(BIN)/python -m tests.benchmarks $(ARGS)

setup: $(VENV)/.ok ## .venv with the locked dependencies; nothing runs

$(VENV)/.ok: pyproject.toml uv.lock
	@echo "Setting up $(VENV) with the locked dependencies; this takes half a minute."
	test -x $(BIN)/python || $(PY) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/pip install -q "uv>=0.13,<0.14"
	UV_SYSTEM_CERTS=1 UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --inexact --quiet --python $(BIN)/python
	touch $@

# What some tests need beside Python, where it can be installed; without it those tests are skipped with the reason.
servers:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || command -v pg_ctl >/dev/null || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing$$missing"; \
	  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends$$missing) >/dev/null \
	    || echo "Could not install$$missing: the tests that need them are skipped."; \
	elif [ -n "$$missing" ]; then echo "Not installed:$$missing. The tests that need them are skipped."; fi

clean: ## remove what the other targets made
	rm -rf $(VENV) demo .pytest_cache .ruff_cache .hypothesis tests/shots
