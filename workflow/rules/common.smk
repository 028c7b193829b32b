import sys
from pathlib import Path

from sid.errors import UserError
from sid.experiment import load_plan

try:
    PLAN = load_plan(config)
except UserError as error:
    # One line for a person, in place of a traceback through the workflow.
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)

EXPERIMENT = PLAN.experiment
RESULTS, REPORTS = EXPERIMENT.results, EXPERIMENT.reports
DATA = f"{RESULTS}/data/{EXPERIMENT.data.name}.zip"
TEACHER = f"{RESULTS}/teacher/{PLAN.teacher.name}"
EXTRACTOR = f"{RESULTS}/evaluate/extractor.safetensors"
RUNS = [f"{recipe}/seed{seed}" for recipe in PLAN.recipes for seed in EXPERIMENT.seeds]


wildcard_constraints:
    recipe="|".join(PLAN.recipes),
    seed=r"\d+",


def start_done(wildcards):
    """The finished run that a recipe starts from, when it has one."""
    start = PLAN.recipes[wildcards.recipe].start
    return (
        [f"{RESULTS}/distill/{start}/seed{wildcards.seed}/done.json"] if start else []
    )


def start_option(wildcards):
    """`--start RUN`, or nothing."""
    start = PLAN.recipes[wildcards.recipe].start
    return f"--start {RESULTS}/distill/{start}/seed{wildcards.seed}" if start else ""


def recipe_of(wildcards):
    """The whole recipe: a parameter, so that a changed value trains again what it concerns."""
    return PLAN.recipes[wildcards.recipe].model_dump(mode="json")
