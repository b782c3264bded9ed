# `make drill` rehearses the main job on this machine; `make test` is what CI runs. Each does all its own set-up.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: drill test format bench torture wheel constraints clean

drill: $(VENV)/installed
	@$(BIN)/outagecast drill

test: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@# The tests are compiled meanwhile, once: all that run them would do so for themselves otherwise. And they start
	@# hundreds of interpreters, so what is compiled is kept whatever the environment says.
	@export PYTHONDONTWRITEBYTECODE=; $(BIN)/pytest -q --collect-only >/dev/null & $(BIN)/mypy && wait
	@# Twice as many as cores, usually: many tests wait for a socket or a process.
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -n 4 --dist worksteal

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Ratios taken in one run; see benchmarks/README.md.
bench: $(VENV)/installed-dev
	$(BIN)/python -m compileall -q outagecast
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/fanout.py
	$(BIN)/python benchmarks/mail.py

# Minutes of random kills; prints the seed, the kills, what was lost and what was doubled.
torture: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.torture --nights 1000

wheel: $(VENV)/installed-dev
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .

constraints: $(VENV)/installed-dev
	(head -1 constraints.txt; $(PIP) freeze --exclude-editable) > constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "outagecast needs Python 3.11 or later: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv is missing: apt install python3-venv"; exit 2; }
	@# Dependency groups need pip 25.1.
	@$(PIP) install --quiet --upgrade "pip>=25.1"

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt $(VENV)/installed
	@$(PIP) install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@
