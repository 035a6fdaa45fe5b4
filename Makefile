PYTHON ?= python3.11
SHELL := /bin/bash
BIN := .venv/bin
SET_UP = command -v $(PYTHON) >/dev/null || { echo "aisle: $(PYTHON) is missing; install Python 3.11 with its venv module (on Debian 12: apt-get install python3.11-venv)" >&2; exit 1; }; $(PYTHON) tools/setup.py
UV = $(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-header --python-version
BESIDE = tests/vision tests/bench tests/house tests/stores
.DEFAULT_GOAL := help

.PHONY: help demo test setup check prepare-check format lint types imports deadcode web-check compose-check fix web lock clients settings-doc screenshots bench audit sbom clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{sub(/:.*/, "", $$1); printf "  make %-14s %s\n", $$1, $$2}'

demo: ## Set everything up and run it on real data; Ctrl-C stops it, a second start is quick
	@$(SET_UP) demo
	@exec $(BIN)/aisle up --demo

test: ## Set everything up and pass every test
	@$(SET_UP) test
	@cd web && npm run --silent test
	@set -m; mkdir -p var/logs; log=var/logs/tests-of-the-product.log; \
	{ $(BIN)/python -m pytest -m "e2e or rasa"; found=$$?; \
	  $(BIN)/python -m pytest -m "not e2e and not rasa" $(BESIDE) || found=$$?; exit $$found; } >$$log 2>&1 & \
	product=$$!; trap 'kill -- -$$product' INT TERM; \
	$(BIN)/python -m pytest -m "not e2e and not rasa" $(BESIDE:%=--ignore=%); found=$$?; wait $$product || found=$$?; cat $$log; exit $$found

setup: ## Set up for tests and demo, without running anything
	@$(SET_UP) test
	@$(PYTHON) tools/setup.py demo

check: format lint types imports deadcode web-check compose-check ## All of the checks below, up to compose-check

prepare-check:
	@$(SET_UP) check

format: prepare-check ## Is everything formatted? (make fix does it)
	@$(BIN)/ruff format --check .

lint: prepare-check ## Lint
	@$(BIN)/ruff check .

types: prepare-check ## Types
	@$(BIN)/mypy
	@$(BIN)/mypy --strict tools/setup.py

imports: prepare-check ## Import rules between the folders
	@$(BIN)/lint-imports

deadcode: prepare-check ## Code that nobody uses
	@$(BIN)/vulture

web-check: prepare-check ## Lint and types of the web pages
	@cd web && npm run --silent lint && npm run --silent typecheck

compose-check: prepare-check ## Is docker-compose.yml sound?
	@$(BIN)/python -m pytest -q tests/house/test_compose.py

fix: prepare-check ## Format, and mend what can be mended automatically
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && cd web && npm run --silent format

web: prepare-check ## Build the web pages again
	@cd web && npm run build

lock: prepare-check ## Lock the dependencies of pyproject.toml and of Rasa again
	@$(UV) 3.11 pyproject.toml --extra demo -o requirements/aisle.txt
	@$(UV) 3.11 pyproject.toml --extra demo --extra dev -o requirements/dev.txt
	@$(UV) 3.11 requirements/rasa-build.in --no-deps --no-annotate -o requirements/rasa-build.txt
	@$(UV) 3.11 requirements/rasa.in --no-deps --no-annotate -o requirements/rasa.txt
	@$(UV) 3.10 requirements/rasa-itself.in --no-deps --no-annotate >> requirements/rasa.txt

clients: prepare-check ## Make the OpenAPI document and the typed Python and TypeScript clients of it (build/clients)
	@$(BIN)/python tools/clients.py

settings-doc: prepare-check ## Write docs/settings.md from the settings
	@$(BIN)/python tools/settings_doc.py

screenshots: setup ## Take the README's pictures from the running product
	@$(BIN)/python tools/screenshots.py

bench: ## Measure the skeleton's bars, after make demo (docs/benchmarks)
	@$(BIN)/aisle bench skeleton

audit: ## Ask the advisory databases about every dependency, and look for weak spots and secrets in the code (needs the network)
	@$(PYTHON) -m venv var/audit && var/audit/bin/pip install -q -r requirements/audit.txt
	@failed=0; \
	var/audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements/aisle.txt -r requirements/dev.txt || failed=1; \
	var/audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements/rasa.txt -r requirements/rasa-build.txt || failed=1; \
	var/audit/bin/bandit -q -ll -r api chatbot personalization stores vision || echo "Each finding is one that ruff's S rules let pass with a reason (noqa: S…)."; \
	var/audit/bin/detect-secrets-hook --no-verify --baseline .secrets.baseline $$(git ls-files); found=$$?; \
	[ $$found = 0 ] || [ $$found = 3 ] || failed=1; \
	(cd web && npm audit --omit=dev) || failed=1; exit $$failed

sbom: ## List every locked library, with its digests, as CycloneDX documents (build/sbom; installs its tool the first time)
	@test -x var/sbom/bin/cyclonedx-py || { $(PYTHON) -m venv var/sbom && var/sbom/bin/pip install -q -r requirements/sbom.txt; }
	@mkdir -p build/sbom
	@for one in aisle rasa; do var/sbom/bin/python -W ignore -m cyclonedx_py requirements requirements/$$one.txt --pyproject pyproject.toml \
	  --output-reproducible -o build/sbom/$$one.cdx.json || exit 1; done
	@cd web && npm sbom --package-lock-only --sbom-format cyclonedx > ../build/sbom/web.cdx.json
	@ls build/sbom/*.cdx.json

clean: ## Delete everything that was made, the database too
	rm -rf .venv .venv-rasa var web/dist web/node_modules
