import shlex
import sys
from collections import Counter
from pathlib import Path

import yaml

from sid.errors import UserError
from sid.experiment import (
    claims_of,
    claims_to_reach,
    configuration,
    is_try,
    load_plan,
    published_claims,
)
from sid.runs.schedule import groups
from sid.shipped import located, tables
from sid.teacher.importing import imported_name
from sid.verify.subjects import named

# `--config experiment=NAME` is config/NAME.yaml. Snakemake's `configfile` does not know `base`.
FILES = workflow.overwrite_configfiles, located(Path("config"))
try:
    PLAN = load_plan(configuration(config, *FILES))
    # What `--config try=true` tries.
    REAL = PLAN
    if is_try(config):
        REAL = load_plan(configuration({**config, "try": False}, *FILES))
    CLAIMS = claims_of(PLAN, published_claims())
    TO_REACH = claims_to_reach(PLAN, published_claims())
except UserError as error:
    # One line for a person, in place of a traceback through the workflow.
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)

EXPERIMENT = PLAN.experiment
RESULTS, REPORTS = EXPERIMENT.results, EXPERIMENT.reports
DATA = f"{EXPERIMENT.data.folder or f'{RESULTS}/data'}/{EXPERIMENT.data.name}.zip"
SOURCE = shlex.quote(EXPERIMENT.source) if EXPERIMENT.source else ""
# A teacher is a weights file when it is imported, and a run when it is trained.
if EXPERIMENT.teacher_from == "import":
    TEACHER_DONE = (
        f"{RESULTS}/teacher/{imported_name(PLAN.teacher.weights)}.safetensors"
    )
else:
    TEACHER_DONE = f"{RESULTS}/teacher/{PLAN.teacher.name}/done.json"
# A classifier is trained on the data; any other extractor goes by its name.
EVALUATION = EXPERIMENT.evaluation
CLASSIFIER = [] if EVALUATION.extractor else f"{RESULTS}/evaluate/extractor.safetensors"
METRIC_OPTIONS = shlex.join(
    f"--{key}={getattr(EVALUATION, key)}"
    for key in ("metrics", "implementations")
    if getattr(EVALUATION, key)
)
CURVE = f"--n-curve {EVALUATION.n_curve}"
SIZES = f"{CURVE} --n-final {EVALUATION.n_final} --draws {EVALUATION.draws}"
BY = f"--curve={shlex.quote(EVALUATION.curve)}" if EVALUATION.curve else ""
KEEP = f"--keep {EXPERIMENT.keep}"
MOMENTS = f"--statistics={EVALUATION.statistics}" if EVALUATION.statistics else ""
if EVALUATION.labels == "data set":
    MOMENTS += f" --frequencies={DATA}"
# Snakemake does not compare commands, as they depend on inputs: what is asked is a parameter beside.
ASKED = f"{EVALUATION.extractor} {METRIC_OPTIONS} {MOMENTS}"
RUNS = [f"{recipe}/seed{seed}" for recipe in PLAN.recipes for seed in EXPERIMENT.seeds]
# Images at which the legs of a run end, by recipe; the last ends the run.
LEGS = {
    name: recipe.leg_ends(EXPERIMENT.leg_kimg) for name, recipe in PLAN.recipes.items()
}


wildcard_constraints:
    recipe="|".join(PLAN.recipes),
    seed=r"\d+",
    leg=r"\d{12}",
    group=r"\d{12}-\d{12}",


def start_done(wildcards):
    """The finished run that a recipe starts from, when it has one."""
    start = PLAN.recipes[wildcards.recipe].start
    return (
        [f"{RESULTS}/distill/{start}/seed{wildcards.seed}/done.json"] if start else []
    )


def leg_file(recipe, seed, end):
    """The file that is there when a run has come to the end of a leg."""
    run = f"{RESULTS}/distill/{recipe}/seed{seed}"
    return (
        f"{run}/done.json" if end == LEGS[recipe][-1] else f"{run}/legs/{end:012d}.json"
    )


def leg_before(wildcards):
    """The file of the leg before; none for the first. Without `leg` it is the last leg's."""
    ends = LEGS[wildcards.recipe]
    place = ends.index(int(wildcards.get("leg", ends[-1])))
    return leg_file(wildcards.recipe, wildcards.seed, ends[place - 1]) if place else []


def groups_of(recipe):
    """First and last images of the snapshots that one job measures, all but the last such job's.

    A job has snapshots of one leg, and measures them while the next one trains. The last ones are
    left to the evaluation of the run, which would wait for that job alone.
    """
    times = PLAN.recipes[recipe].times()
    return groups(times, LEGS[recipe], EVALUATION.group)[:-1]


def group_files(wildcards):
    """The records of the groups of a run."""
    run = f"{RESULTS}/evaluate/{wildcards.recipe}/seed{wildcards.seed}"
    return [
        f"{run}/{first:012d}-{last:012d}.json"
        for first, last in groups_of(wildcards.recipe)
    ]


def groups_until(wildcards, end):
    """The records of the groups of a run up to the end of a leg."""
    return [
        file for file in group_files(wildcards) if int(Path(file).stem[-12:]) <= end
    ]


def groups_so_far(wildcards):
    """Those of the wildcard's leg and of all before."""
    return groups_until(wildcards, int(wildcards.leg))


def measured_before(wildcards):
    """The records of all but the leg before, where snapshots are removed when they are measured.

    So no more of them wait on disk than `sid cost` counts. A new measurement trains nothing again.
    """
    ends = LEGS[wildcards.recipe]
    place = ends.index(int(wildcards.get("leg", ends[-1])))
    if EXPERIMENT.keep == "all" or place < 2:
        return []
    return [ancient(file) for file in groups_until(wildcards, ends[place - 2])]


def reached_files(wildcards):
    """What is found at the end of each leg but the last, of runs that may end before it."""
    return [
        f"{RESULTS}/verdict/reached/{recipe}/seed{seed}/{end:012d}.json"
        for recipe in TO_REACH
        for seed in EXPERIMENT.seeds
        for end in LEGS[recipe][:-1]
    ]


def group_leg(wildcards):
    """The file of the leg that a group's snapshots are of."""
    last = int(wildcards.group.partition("-")[2])
    end = next(end for end in LEGS[wildcards.recipe] if end >= last)
    return leg_file(wildcards.recipe, wildcards.seed, end)


def start_option(wildcards):
    """`--start RUN`, or nothing."""
    start = PLAN.recipes[wildcards.recipe].start
    return f"--start {RESULTS}/distill/{start}/seed{wildcards.seed}" if start else ""


def teacher_of(wildcards, input):
    """What `--teacher` is given: the weights file, or the folder of the run."""
    done = Path(input.teacher)
    return str(done.parent if done.name == "done.json" else done)


def extractor_of(wildcards, input):
    """What `--extractor` is given: a name, or the file of the classifier."""
    return EVALUATION.extractor or input.extractor


def recipe_of(wildcards):
    """The whole recipe: a parameter, so that a changed value trains again what it concerns."""
    return PLAN.recipes[wildcards.recipe].model_dump(mode="json")


def leg_recipe_of(wildcards):
    """What a leg depends on: not where the run ends, unless the learning rates do."""
    values = recipe_of(wildcards)
    return values if values["lr_decay"] else {**values, "kimg": None}


def teacher_command(wildcards, input, output):
    """`sid teacher train`, for a shell here or for the processes of a job on a cluster."""
    return (
        f"teacher train --recipe {EXPERIMENT.teacher} --data {input.data}"
        f" --out {Path(output[0]).parent} --budget {EXPERIMENT.budget} --restart"
    )


def distill_command(wildcards, input, output):
    """`sid distill`, likewise."""
    run = f"{RESULTS}/distill/{wildcards.recipe}/seed{wildcards.seed}"
    leg = wildcards.get("leg")
    return (
        f"distill --recipe {PLAN.paths[wildcards.recipe]} --data {input.data}"
        f" --teacher {teacher_of(wildcards, input)} {start_option(wildcards)}"
        f" --out {run} --seed {wildcards.seed}"
        + (f" --kimg {EXPERIMENT.kimg}" if EXPERIMENT.kimg else "")
        + f" --budget {EXPERIMENT.budget} --restart"
        + (f" --leg {int(leg)}" if leg else "")
    )


def evaluation(what, subject, wildcards, input, output, *options):
    """`sid evaluate`, likewise."""
    options = [METRIC_OPTIONS, *filter(None, options)]
    return (
        f"evaluate {what} {subject} {input.data} --extractor {extractor_of(wildcards, input)}"
        f" {' '.join(options)} --json {output[0]}"
    )


def run_command(wildcards, input, output):
    """Of a run."""
    run = f"{RESULTS}/distill/{wildcards.recipe}/seed{wildcards.seed}"
    return evaluation("run", run, wildcards, input, output, MOMENTS, BY, SIZES, KEEP)


def snapshots_command(wildcards, input, output):
    """Of a group of snapshots."""
    run = f"{RESULTS}/distill/{wildcards.recipe}/seed{wildcards.seed}"
    first, last = map(int, wildcards.group.split("-"))
    part = f"--from {first} --to {last}"
    return evaluation(
        "snapshots", run, wildcards, input, output, MOMENTS, BY, CURVE, part, KEEP
    )


def reached_command(wildcards, input, output):
    """`sid reached`, likewise: of a run and what is measured of it."""
    run = f"{RESULTS}/distill/{wildcards.recipe}/seed{wildcards.seed}"
    # The claim says who measures: no list of implementations.
    metrics = f"--metrics={EVALUATION.metrics}" if EVALUATION.metrics else ""
    return (
        f"reached {run} {input.data} --claim {TO_REACH[wildcards.recipe]}"
        f" --extractor {extractor_of(wildcards, input)} {metrics} {MOMENTS}"
        f" --n-final {EVALUATION.n_final} --json {output[0]}"
    )


def evaluate_teacher_command(wildcards, input, output):
    """Of the teacher."""
    teacher = teacher_of(wildcards, input)
    return evaluation("teacher", teacher, wildcards, input, output, MOMENTS, SIZES)


def real_command(wildcards, input, output):
    """Of the real images."""
    return evaluation("real", "", wildcards, input, output, SIZES)


def cluster_resources(allocation):
    """What a job asks of a cluster, as Snakemake's resources; on this machine it limits nothing."""
    return {
        "nodes": allocation.nodes,
        "tasks": allocation.tasks,
        "gpu": allocation.gpus,
        "runtime": round(allocation.hours * 60),
        "mem_mb": round(allocation.memory_gb * 1000),
    }


def announce():
    """Tell on standard error what the runs that are not done cost, if it can be known."""
    left = [
        run for run in RUNS if not Path(f"{RESULTS}/distill/{run}/done.json").exists()
    ]
    if "verify" in config or EXPERIMENT.teacher_from != "import" or not left:
        return
    from sid.cost.plan import summary  # It takes a moment, and only here.

    try:
        lines = summary(PLAN, [run.partition("/")[0] for run in left])
    except UserError:
        return
    print(*lines, sep="\n", file=sys.stderr)


def tell_tried():
    """Tell what a small try did, and what the real run will ask for and cost."""
    from sid.cost.tried import told

    jobs = Counter(
        job.rule.name for job in workflow.dag.needrun_jobs(False) if job.output
    )
    print(*told(REAL, jobs, workflow.executor_plugin.name), sep="\n", file=sys.stderr)


# `onstart` is not called in a dry run, and a job's own Snakemake has nothing to announce.
if workflow.output_settings.dryrun and workflow.is_main_process:
    announce()


def page_alone():
    """Whether nothing but the page of the moment is asked for, of any experiment of the graph."""
    targets = workflow.dag_settings.targets
    return targets and all(str(name).split("_")[-1] == "page" for name in targets)


onstart:
    if page_alone():
        # At its end Snakemake removes every lock of the folder, also that of the workflow which
        # runs here beside it; the page has none.
        workflow.persistence.unlock = workflow.persistence.noop
    else:
        announce()


onsuccess:
    if is_try(config) and not page_alone():
        tell_tried()


# Of the target `verify`, whatever the experiment is.
VERIFIED, VERIFIED_PAGES = "results/verify", "reports/verify"


def checkpoints(wildcards=None):
    """The subjects, by name; found when they are needed, or asked for."""
    return list(named(config.get("verify")))


def checkpoint_claims(wildcards):
    """The names of their claims."""
    return ",".join(
        claim.name for group in named(config.get("verify")).values() for claim in group
    )


if "verify" in config:
    try:
        checkpoints()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
