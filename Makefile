# Raterscope: `make run` serves the dashboard, `make test` runs the tests. Both make their own environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: env run test lint bench lock clean
env: $(STAMP)

$(STAMP): requirements.txt requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Raterscope needs Python 3.11 or newer; set PYTHON=python3.12, say.")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements.txt -r requirements-dev.txt
	touch $(STAMP)

# One thread for linear algebra: pages make many small products, and spinning threads take the other readers' time.
run: env
	$(BIN)/python manage.py prepare
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m streamlit run app.py

test: env
	$(BIN)/python -m pytest

lint: env
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

bench: env
	$(BIN)/python -m bench
	$(BIN)/python -m bench.agreement
	$(BIN)/python -m bench.consensus

lock:
	$(PYTHON) -m pip install --quiet uv
	for name in requirements requirements-dev; do \
		$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--custom-compile-command "make lock" $$name.in -o $$name.txt || exit 1; done

clean:
	rm -rf $(VENV) var
