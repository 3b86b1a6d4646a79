# One door to everything. `make help` lists it.
SHELL := /bin/bash
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Advisory feeds to import at `make up` and to test with; a folder of files as `seawall intel import` takes them.
FEEDS ?= $(wildcard ../shared/data/feeds)
export FEEDS

.DEFAULT_GOAL := help
.PHONY: help up down test corpus fuzz check demo bench build dev fmt lock clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## install what is missing, build, start server, console and an agent for this host
	@deploy/prepare.sh up
	@$(BIN)/seawall up

down: ## stop what `make up` started
	@$(BIN)/seawall down

demo: up ## run the harmless attack simulations; watch them in the console
	@$(BIN)/seawall runtime simulate

build: $(VENV)/.dev ## eBPF objects, the compiled plan and the console
	@deploy/prepare.sh build

check: $(VENV)/.dev ## format, lint, types, import contracts, unit tests: quick, no root, no Docker
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/unit

# What failed is run once more in a process of its own: a real fault fails again, a crowded machine does not.
tests = $(BIN)/pytest -q $(1) || { [ $$? = 1 ] && $(BIN)/pytest -q --last-failed --last-failed-no-failures=none $(1); }

test: ## everything: check, then real kernel, Docker, server and browser
	@deploy/prepare.sh test
	@$(MAKE) --no-print-directory check
	@$(call tests,tests/footprint tests/kernel)
	@$(call tests,tests/flows)
	@$(call tests,tests/console)

corpus: ## the attack corpus and ordinary work, for real; SEAWALL_BENIGN_SECONDS=3600 for an hour of it
	@deploy/prepare.sh test
	$(BIN)/pytest -q tests/corpus

fuzz: $(VENV)/.dev ## feed the parsers of hostile input with what no tool would write; SECONDS=60 each
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/fuzz.txt || echo 'no atheris: by chance'
	@for name in $$($(BIN)/python tests/fuzz/targets.py --list); do \
	    $(BIN)/python tests/fuzz/targets.py $$name --seconds $(or $(SECONDS),60) || exit 1; done

bench: build ## benchmarks beside peers and limits; prints ratios
	@$(BIN)/python bench/run.py

fmt: $(VENV)/.dev ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCK = $(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-annotate pyproject.toml
lock: ## renew the hashed requirements
	$(BIN)/pip install -q uv
	$(LOCK) --upgrade --extra scanner -o requirements/scanner.txt
	$(LOCK) --upgrade --extra server -o requirements/server.txt
	$(LOCK) --upgrade --extra server --group dev -o requirements/dev.txt
	$(LOCK) --upgrade --no-deps --group fuzz -o requirements/fuzz.txt

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	$(PY) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean: ## remove what was built (state in .seawall stays)
	rm -rf $(VENV) build console/node_modules console/dist src/seawall/server/static src/seawall/runtime/bpf/*.o src/seawall/runtime/rules/plan.json src/seawall/images/rules/secrets.json
