# The two commands of a newcomer are `make demo` and `make test`; each sets itself up.
PYTHON ?= python3
BUDGET ?= demo
EXPERIMENT ?= demo
RECORDS ?= results/records.csv
export PATH := .venv/bin:$(PATH)
SHELL := /bin/bash

.PHONY: help venv demo page rehearsal bundle test test-slow lint slurm-lab slurm-lab-down slurm-demo test-slurm clean

help:
	@echo 'make demo               SiD, SiDA, SiD2A and a rival on digits, with report (8 min)'
	@echo 'make demo BUDGET=long   the same with 3 seeds, two and a half times as long (an hour)'
	@echo 'make demo BUDGET=short  the same line in 2 minutes, without meaning'
	@echo 'make page               the page of what there is so far, at any moment: EXPERIMENT=cifar10 names another'
	@echo 'make rehearsal          experiment=cifar10 and sid verify on small stand-ins, to the page (6 min)'
	@echo 'make bundle             records, verdicts, tables, figures and page of the demo in bundle.tar.gz'
	@echo 'make test               the tests (8 min on 2 cores)'
	@echo 'make test-slow          workflows that are killed, extended and tried, and the wheel (5 min)'
	@echo 'make slurm-lab          a private two-node Slurm on this machine, with made-up GPUs (root)'
	@echo 'make slurm-lab-down     stops it'
	@echo 'make slurm-demo         the demo through such a Slurm, started and stopped for it'
	@echo 'make test-slurm         the tests that need a Slurm, each with one of its own'
	@echo 'make lint               style, types and workflow checks'
	@echo 'make venv               only the environment, in .venv'

# Environments hold absolute paths: the mark says where this one was made.
venv:
	@if [ -f .venv/installed ] && [ "$$(cat .venv/installed)" != "$$PWD" ]; then \
	  echo 'This folder was moved: making .venv anew'; rm -rf .venv; fi
	@$(MAKE) --no-print-directory .venv/installed

.venv/installed: pyproject.toml executor/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'error: $(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12'; exit 2; }
	@echo 'Making .venv and installing the pinned packages (about two minutes)'
	@$(PYTHON) -m venv .venv || \
	  { echo 'error: $(PYTHON) cannot make environments; install python3-venv'; exit 2; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable ./executor --editable '.[dev,slurm]'
	@pwd > $@

demo: venv
	@.venv/bin/python workflow/launch.py $(BUDGET)

# It takes no lock, so that a workflow may be running here.
page: venv
	@.venv/bin/snakemake page --cores 1 --quiet all \
	  $(if $(filter-out demo,$(BUDGET)),--configfile config/budget/$(BUDGET).yaml) \
	  --config experiment=$(EXPERIMENT)

# Stand-ins in the official formats, served on loopback; their numbers mean nothing.
rehearsal: venv
	@OMP_NUM_THREADS=1 .venv/bin/python -m workflow.rehearsal

bundle: venv
	@.venv/bin/sid bundle $(RECORDS) --experiment $(EXPERIMENT) --out bundle.tar.gz

# A process more than there are cores: some tests wait for others.
PYTEST = OMP_NUM_THREADS=1 .venv/bin/python -m pytest -rs --dist worksteal \
  --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 8

test: venv
	$(PYTEST) -m 'not slow and not slurm and not rehearsal'

test-slow: venv
	$(PYTEST) -m 'slow and not slurm'

slurm-lab:
	@workflow/lab/slurm-lab.sh up

slurm-lab-down:
	@workflow/lab/slurm-lab.sh down

# The same line as `make demo`; each job goes through the executor plugin to a made-up node.
slurm-demo: venv
	@workflow/lab/slurm-lab.sh check
	@workflow/lab/slurm-lab.sh with .venv/bin/python workflow/launch.py $(BUDGET) \
	  --executor submitit --jobs 8 --seconds-between-status-checks 2

test-slurm: venv
	@workflow/lab/slurm-lab.sh check
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -m slurm tests/slurm \
	  --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy sid baselines benchmarks workflow executor/snakemake_executor_plugin_submitit
	.venv/bin/snakefmt --check Snakefile workflow
	.venv/bin/snakemake --lint

clean:
	rm -rf .snakemake results reports/tables reports/figures reports/index.html reports/now reports/short reports/long
