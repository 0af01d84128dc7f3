# The two commands of the README are `make try` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait, for engines and for effects: one worker more than the two cores that most machines have at least.
WORKERS ?= 3
SEEDS ?= 30
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: try venv test lint pr synth proof conformance localstack bench policies seeds slides notebooks book clean

$(VENV)/base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cloudkata needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing cloudkata and what it needs into $(VENV) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/all: $(VENV)/base
	@$(PIP) -e '.[testing,dev]'
	@touch $@

$(VENV)/notebooks: $(VENV)/all
	@$(PIP) -e '.[testing,dev,notebooks,book]'
	@touch $@

$(VENV)/cdk: $(VENV)/all
	@$(PIP) -e '.[testing,dev,cdk]'
	@touch $@

try: $(VENV)/base
	@echo
	@echo "1. A wallet that looks before it takes: right, as long as nobody else is there."
	@echo
	@$(BIN)/kata check 14 --variant look-then-transfer; test $$? -eq 1
	@echo
	@echo "2. The reference solution of the same lab."
	@echo
	@$(BIN)/kata check 14 --solution
	@echo
	@echo "Now it is your turn: $(BIN)/kata"

venv: $(VENV)/all

# What `kata notebook` and the site need besides.
notebooks: $(VENV)/notebooks

lint: $(VENV)/all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest --ignore tests/proof --ignore tests/hostile/test_as_user.py -n $(WORKERS) --dist worksteal
	$(BIN)/kata lint
	$(BIN)/kata matrix --changed

# What is run for a change: all that `make test` runs (lint, tests, the matrix of labs that changed), and that no
# starter is stale.
pr: $(VENV)/all
	$(BIN)/kata sync --check
	$(MAKE) test

# The solutions as CDK stacks in build/cdk, offline, looked at by cdk-nag and cfn-lint; needs Node.js.
synth: $(VENV)/cdk
	$(BIN)/python tools/synth.py

proof: $(VENV)/notebooks $(VENV)/cdk node_modules/.package-lock.json
	@mkdir -p build
	$(BIN)/pytest tests/conformance --target bare -n 4 --dist worksteal
	$(BIN)/pytest tests/conformance --target alone -n $(WORKERS)
	CLOUDKATA_STORM=50 $(BIN)/pytest tests/engine/test_kill_storm.py
	$(BIN)/pytest tests/hostile/test_as_user.py
	rm -rf build/notebooks
	$(BIN)/pytest tests/proof -n $(WORKERS) --dist loadfile
	$(BIN)/kata matrix --workers $(WORKERS) --json build/matrix.json
	$(BIN)/kata prove --json build/proof.json
	$(BIN)/python tools/localstack/prove.py

# What draws and looks at decks and pages. The lock file names no host: npm asks the registry it is set to.
node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo "decks and the site need Node.js 20 or newer with npm"; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# A page and a PDF of every deck in build/slides; the PDFs need Chromium (Debian: chromium, fonts-liberation).
MARP := CHROME_NO_SANDBOX=true node_modules/.bin/marp -c tools/slides/marp.config.mjs -I slides -o build/slides
slides: node_modules/.package-lock.json
	node tools/slides/draw.mjs
	rm -rf build/slides
	$(MARP)
	$(MARP) --pdf --pdf-outlines --pdf-notes

# The labs' solutions on a LocalStack 4.14 that is started for it, where Python 3.13, Java and npm are; compared with the
# record in tools/localstack/labs.json, which `tools/localstack/prove.py --record` writes.
localstack: $(VENV)/base
	$(BIN)/python tools/localstack/prove.py

# The conformance tests against any AWS-compatible endpoint, such as a LocalStack that runs already.
ENDPOINT ?= http://127.0.0.1:4566
conformance: $(VENV)/all
	$(BIN)/pytest tests/conformance --target endpoint=$(ENDPOINT)

bench: $(VENV)/all
	@mkdir -p build
	$(BIN)/python tools/bench.py --json build/bench.json
	$(BIN)/python tools/bench_grading.py --json build/bench-grading.json
	$(BIN)/kata matrix --json build/bench-matrix.json
	$(BIN)/python tools/bench_cohort.py --json build/bench-cohort.json

# The policy of each lab in checks/NN-slug/policy.json, from the calls that its solution is seen to make.
policies: $(VENV)/all
	$(BIN)/python tools/policies.py

# Every lab whose checks race or sample, with many seeds: as long as it takes.
seeds: $(VENV)/all
	CLOUDKATA_SEEDS=$(SEEDS) $(BIN)/pytest tests/labs -n $(WORKERS)

# The course as one static site in build/book. Notebooks are executed only where they have changed.
book: $(VENV)/notebooks slides
	$(BIN)/python tools/notebooks.py --out build/notebooks --stale
	$(BIN)/python tools/book.py

clean:
	rm -rf $(VENV) build dist node_modules
