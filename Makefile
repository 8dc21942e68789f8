# Two commands: `make book` and `make test`. What they make goes into .venv and book/_build, nowhere else.

PYTHON ?= python3
PROFILE ?= sample
REQUIREMENTS ?= --require-hashes -r requirements.lock

# Settings of the caller that would change what is built or tested; `make book PROFILE=laptop` asks for a profile.
unexport BLOODCELL_PRINT BLOODCELL_PROFILE BLOODCELL_RESULTS_DIR KERAS_BACKEND MPLBACKEND PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH \
    VIRTUAL_ENV
export JUPYTER_PREFER_ENV_PATH := 1

PY := .venv/bin/python
INSTALLED := .venv/.installed
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
INPUTS := $(shell find bloodcell_utils -name '*.py' -o -name '*.json') course.yml $(wildcard book/results/*.json) \
    book/tools/editions.py book/tools/run_notebooks.py

# .venv belongs to one Python and one folder: with another of either it is made again.
WANTED := $(shell $(PYTHON) -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null) in $(CURDIR)
ifneq ($(shell cat .venv/.made-for 2>/dev/null),$(WANTED))
.PHONY: .venv/.made-for
endif

ifeq ($(filter bundle,$(MAKECMDGOALS))$(FOLDER),bundle)
$(error Name a folder: make bundle FOLDER=/media/stick/blood-cells)
endif

.PHONY: help book pdf test lint unit notebooks pages student instructor assignments handouts bench bundle serve clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z ]+:.*## / { printf "make %-30s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: $(INSTALLED)  ## run the notebooks that changed and build the pages (PROFILE=laptop: on the real data)
	@$(PY) book/tools/build.py --profile $(PROFILE)

pdf: $(INSTALLED)  ## the same, and each page and the whole book as PDF (needs Chromium)
	@$(PY) book/tools/build.py --profile $(PROFILE) --print

test: lint unit notebooks pages  ## style, unit tests, every notebook, the book and its pages

lint: $(INSTALLED)  ## style of the code and of the notebooks, spelling, who may import from whom
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/codespell
	.venv/bin/lint-imports --no-cache

unit: $(INSTALLED)  ## unit and property tests
	$(PY) -m pytest -p no:nbval -n 2 --dist loadfile --ignore tests/pages tests

notebooks: .venv/.notebooks  ## run every notebook that changed, solved; compare the marked outputs and the checks

pages: pdf  ## check the built pages, as files and in a browser: links, pictures, nothing from another host
	-@$(PY) book/_ext/npm.py axe-core
	$(PY) -m pytest -p no:nbval -n 2 --dist loadfile tests/pages

student instructor assignments: $(INSTALLED)  ## the notebooks without solutions; with all answers; for nbgrader
	@$(PY) book/tools/editions.py $@

handouts: $(INSTALLED)  ## the sheets that a class has in its hands, as PDF (needs Chromium)
	@$(PY) book/tools/handouts.py

bench: $(INSTALLED)  ## time each heavy step against the plain way (PROFILE=laptop; ARGS=--help says more)
	@$(PY) book/tools/bench.py --profile $(PROFILE) $(ARGS)

bundle: $(INSTALLED)  ## the course in a folder, for a room without internet (FOLDER=/media/stick; ARGS=--help)
	@$(PY) book/tools/bundle.py "$(FOLDER)" $(ARGS)

serve: $(INSTALLED)  ## the built book, its lab and game, for all computers on this network (ARGS="--port 8080")
	@$(PY) book/tools/host.py $(ARGS)

clean:  ## remove everything that was made here
	rm -rf .venv book/_build .pytest_cache .ruff_cache .hypothesis

.venv/.notebooks: $(INSTALLED) $(NOTEBOOKS) $(INPUTS)
	@$(PY) book/tools/run_notebooks.py $(if $(filter-out %.ipynb,$?),,$?)
	@touch $@

$(INSTALLED): .venv/.made-for pyproject.toml requirements.lock
	@echo "Installing into .venv: $(REQUIREMENTS)"
	@.venv/bin/uv pip install --quiet --python $(PY) $(REQUIREMENTS)
	@.venv/bin/uv pip install --quiet --python $(PY) --no-deps -e .
	@.venv/bin/jupyter labextension disable --level=sys_prefix @jupyter/nbgrader >/dev/null 2>&1  # menus for teachers only
	@touch $@

.venv/.made-for:
	@command -v $(PYTHON) >/dev/null || \
	    { echo "There is no $(PYTHON) here. On Debian or Ubuntu: sudo apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in [(3, 11), (3, 12), (3, 13)])' || \
	    { echo "This course runs on Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	           "Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@test ! -d .venv || echo "Making .venv again, for $(WANTED)"
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@echo "$(WANTED)" > $@
