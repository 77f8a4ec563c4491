# The commands of the README. `make help` lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
# The variables of this call reach the tools by name; make's own flags would only confuse the builds below it.
unexport MAKEFLAGS MFLAGS MAKELEVEL

ENVIRONMENT ?= $(if $(shell command -v micromamba || command -v mamba || command -v conda),.conda,.venv)
PYTHON ?=
PIP_ARGS ?=
SLEPC ?= 1
CORES ?= 2
PROFILE ?= quick
SNAKEMAKE_ARGS ?=
PYTEST_ARGS ?=
export PYTHON PIP_ARGS SLEPC

INDEX := book/_build/html/index.html
IN_ENVIRONMENT := PATH="$(CURDIR)/$(ENVIRONMENT)/bin:$$PATH"
SNAKEMAKE := $(IN_ENVIRONMENT) PYTHONPATH="$(CURDIR)/workflow$${PYTHONPATH:+:$$PYTHONPATH}" \
	snakemake
OPTIONS := --cores $(CORES) --keep-going --rerun-incomplete --logger compendium $(SNAKEMAKE_ARGS)

.PHONY: help
help:  ## this list
	@echo 'Targets:'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo 'Variables (make TARGET NAME=value):'
	@sed -n 's/^#: /  /p' $(firstword $(MAKEFILE_LIST))
#: SLEPC          0 leaves SLEPC out, which is compiled from source on the pip path (default 1)
#: PYTHON         the Python for .venv, 3.11 or newer (default: python3, else the newest python3.* on the PATH)
#: PIP_ARGS       more arguments for pip, such as the index of CPU-only builds of PyTorch
#: ENVIRONMENT    .conda or .venv (default: .conda where micromamba, mamba or conda is on the PATH)
#: PROFILE        the settings of `make results`: quick, laptop or paper (default quick)
#: CORES          processor cores for the notebooks (default 2)
#: SNAKEMAKE_ARGS more arguments for Snakemake, such as --profile workflow/slurm
#: PYTEST_ARGS    more arguments for pytest, such as -k operators

.PHONY: environment
environment:  ## make or update the environment (.conda or .venv)
	@tools/environment "$(ENVIRONMENT)"

.PHONY: book
book: environment  ## run every notebook in profile quick and build the book
	@$(SNAKEMAKE) book $(OPTIONS)
	@echo "The book: $(CURDIR)/$(INDEX)"

.PHONY: results
results: environment  ## run every notebook in PROFILE, into results/PROFILE/
	@$(SNAKEMAKE) results --config profile=$(PROFILE) $(OPTIONS)
	@echo "The results: $(CURDIR)/results/$(PROFILE)/"

.PHONY: test
test: book  ## the whole test suite (some tests open the built book in a browser)
	@tools/browser
	@$(IN_ENVIRONMENT) OMP_NUM_THREADS="$${OMP_NUM_THREADS:-1}" python -m pytest $(PYTEST_ARGS)

.PHONY: zip
zip: book  ## the book as one file, build/book.zip, which opens from a folder
	@$(IN_ENVIRONMENT) python tools/zip_site book/_build/html build/book.zip
	@echo "The book as one file: $(CURDIR)/build/book.zip"

.PHONY: lock
lock:  ## make constraints.txt again, with the newest versions
	@tools/lock

.PHONY: unlock
unlock:  ## after a killed run: let go of Snakemake's lock on this folder
	@$(SNAKEMAKE) --unlock

.PHONY: clean
clean:  ## remove the book, the executed notebooks and the local results
	rm -rf book/run book/_build results build .snakemake

.PHONY: distclean
distclean: clean  ## clean, and remove the environment, downloads and local trainings
	rm -rf .venv .conda .cache
