# make demo   runs a simulated site end to end (Ctrl-C ends it)
# make test   lint, types, import contracts and all tests
# make setup  only makes .venv with the program at .venv/bin/stockbeat
# make chaos  twenty kills at random moments; make seeds: ten worlds of a minute each
# make bench  the benchmarks, one after the other; those on recordings only where these are
# make bench-shelves-ports  200 serial ports in one process: lines lost, and what of a core it takes
# make bench-edge  how fast reads are decoded and turned into movements; writes docs/benchmarks.md
# make bench-gates  how often gates are right, beside others; writes docs/benchmarks.md; HOURS=2 shortens its days
# make bench-shelves  how often shelves are right, case by case, beside others; writes docs/benchmarks.md; SEEDS="1 2"
# make lock   compiles the locks anew from pyproject.toml

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: setup demo test check unit servers chaos seeds bench bench-edge bench-gates bench-shelves bench-shelves-ports lock dashboards clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.txt pyproject.toml tools/make-venv
	tools/make-venv $(PYTHON) $(VENV) requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The third-party LLRP client is GPL: it lives in an environment of its own and is never imported by us.
.venv-sllurp/.installed: tests/third_party/sllurp/requirements.txt tools/make-venv
	tools/make-venv $(PYTHON) .venv-sllurp tests/third_party/sllurp/requirements.txt
	touch $@

servers:
	tools/install-servers

demo: setup
	$(BIN)/stockbeat demo

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest tests/wire tests/edge tests/cloud tests/simulators tests/dashboards tests/stockbeat

# In parallel, for most tests wait rather than compute: four at a time keep two processors busy.
test: setup servers .venv-sllurp/.installed check
	$(BIN)/pytest -n 4 --dist loadgroup --no-loadscope-reorder

chaos: setup
	STOCKBEAT_KILLS=20 $(BIN)/pytest tests/system/test_kills.py --timeout 900

seeds: setup
	STOCKBEAT_SEEDS=1,2,3,4,5,6,7,8,9,10 $(BIN)/pytest tests/system/test_demo.py -k difference

bench: setup
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.console_latency
	$(BIN)/python -m benchmarks.gates --no-write --hours 1 --seeds 1
	$(BIN)/python -m benchmarks.shelves --short --seeds 1

bench-gates: setup
	$(BIN)/python -m benchmarks.gates $(if $(HOURS),--hours $(HOURS))

bench-shelves: setup
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.shelves --write --seeds $(or $(SEEDS),2001 2002 2003)

bench-edge: setup .venv-sllurp/.installed
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.gate_speed --write
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.shelf_speed

bench-shelves-ports: setup
	$(BIN)/python -m benchmarks.serial_ports --ports 20
	$(BIN)/python -m benchmarks.serial_ports

dashboards: setup
	$(BIN)/python -m dashboards

lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --constraint requirements.txt \
	  --extra edge --extra cloud --extra simulators --extra broker --extra dashboards --extra build \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements-run.txt

clean:
	rm -rf $(VENV) .venv-sllurp .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
