# The two commands of the project are `make run` and `make test`; the rest are their parts.
# Everything that a fresh Debian lacks is installed by scripts/setup.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

BIN := target/bin
UP_OPTIONS ?=

# Compiled dependencies are kept outside the clone, so that the next clone need not compile them again.
export STEADFAST_CACHE ?= $(HOME)/.cache/steadfast
export CARGO_BUILD_BUILD_DIR ?= $(STEADFAST_CACHE)/build

.PHONY: run build release web test setup clean help

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: build ## Build what is missing and start everything on this machine
	@exec $(BIN)/steadfast up $(UP_OPTIONS)

build: web ## Build steadfast and steadfast-agent into target/bin
	@scripts/build dev $(BIN)

release: web ## Build both fully optimised (over half an hour on two cores)
	@scripts/build release $(BIN)

web: ## Build the page
	@scripts/setup build
	@scripts/web

test: ## Everything that CI runs
	@scripts/setup test
	@scripts/test

setup: ## Install what building and testing need
	@scripts/setup test

clean: ## Remove what was built here
	rm -rf target web/dist web/node_modules web/test-results
