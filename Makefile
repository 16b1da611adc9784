# Set-up, the daily commands and the checks; `make help` lists them. `make serve` and `make test` need
# only Python 3.11 or newer and make: what else is needed goes into .venv, once.

VENV := .venv
RUN  := $(VENV)/bin/python -m

# Which Python .venv is made with: PYTHON=python3.13, or the first on the PATH that is new enough.
PYTHON :=
# What the command behind serve, test or bench gets besides: make serve ARGS="--scenario documents"
ARGS :=

PIP := $(RUN) pip --disable-pip-version-check --quiet
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- daily

.PHONY: serve
serve: $(VENV)/.runtime ## set up, then serve on port 8080: ARGS="--scenario documents"
	@$(RUN) emulator serve $(ARGS)

.PHONY: test
test: $(VENV)/.dev tools ## set up, then run every test: ARGS="-k expiry"
	$(RUN) pytest --numprocesses auto $(ARGS)

.PHONY: check
check: format-check lint types contracts test ## everything that CI checks

.PHONY: format
format: $(VENV)/.dev ## format the code and sort its imports
	$(RUN) ruff format .
	$(RUN) ruff check --select I --fix .

.PHONY: format-check
format-check: $(VENV)/.dev
	$(RUN) ruff format --check .

.PHONY: lint
lint: $(VENV)/.dev ## lint
	$(RUN) ruff check .

.PHONY: types
types: $(VENV)/.dev ## check types, strictly, of source and tests
	$(RUN) mypy

.PHONY: contracts
contracts: $(VENV)/.dev ## check that imports point one way
	$(VENV)/bin/lint-imports --no-logo

.PHONY: bench
bench: $(VENV)/.dev ## measure speed, start-up and memory against their goals
	$(VENV)/bin/python benchmarks/compare.py $(ARGS)

.PHONY: docker
docker: ## build the image video-emulator
	docker build --tag video-emulator .

.PHONY: clean
clean: ## remove .venv, caches and builds
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

# ---------------------------------------------------------------- set-up

# A .venv whose Python is gone (upgraded, say) counts as not set up.
$(shell test -x $(VENV)/bin/python || rm -f $(VENV)/.runtime)

# A stamp is newer than the files that it was made from, so a second set-up costs nothing, and a changed
# lock file renews what is installed.
$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(MAKE_VENV)
	@echo "Installing what serving needs ..."
	@$(PIP) install --requirement requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock $(wildcard tests/clients/*.txt)
	@echo "Installing what the checks need ..."
	@$(PIP) install --requirement requirements-dev.lock
	@for client in $(APART); do \
	  $(PIP) install --no-deps --upgrade --target $(VENV)/$$client --requirement tests/clients/$$client.txt || exit 1; \
	done
	@touch $@

# Clients of which the tests drive programs, and that can't be installed beside one another.
APART := mcp-sora mcp-veo

# A .venv that works is kept: one that was interrupted half-way, or lost its Python, is made anew.
define MAKE_VENV
if ! $(RUN) pip --version >/dev/null 2>&1; then \
  for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
    python=; \
  done; \
  if [ -z "$$python" ]; then \
    echo "No Python 3.11 or newer is on the PATH. Name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; \
  fi; \
  "$$python" -c 'import ensurepip' 2>/dev/null || { $(call APT,python3-venv) || exit 1; }; \
  "$$python" -m venv --clear $(VENV); \
fi
endef

# What some tests need besides Python: ffprobe reads the videos, Node and curl run the documents' samples.
# Without them those tests skip, and say so.
.PHONY: tools
tools:
	@missing=; for tool in ffprobe:ffmpeg node:nodejs curl:curl; do \
	  command -v $${tool%%:*} >/dev/null || missing="$$missing $${tool##*:}"; \
	done; \
	if [ -n "$$missing" ]; then $(call APT,$$missing) || true; fi

# Installs Debian's packages where this may be done, else says what to do.
define APT
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
  echo "Installing" $(1) "..."; \
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(1) >/dev/null; \
else \
  echo "Please install, with your system's packages:" $(1) >&2; false; \
fi
endef

# ---------------------------------------------------------------- dependencies

# Exact versions for every Python from 3.11 and every system. UPGRADE=--upgrade takes the newest.
LOCK := $(RUN) uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links $(UPGRADE) \
        --custom-compile-command "make lock   (what holds a package back: [tool.uv] in pyproject.toml)"

.PHONY: lock
lock: ## write the lock files anew: UPGRADE=--upgrade
	@$(MAKE_VENV)
	$(PIP) install uv
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock
