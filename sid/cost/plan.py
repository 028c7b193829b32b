"""What an experiment comes to, run by run: training, evaluation and disk."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from sid.cost import disk
from sid.cost.cost import Cost, cost, number
from sid.cost.count import count
from sid.cost.disk import GB, Disk
from sid.cost.evaluation import Asked, Hours, asked, hours, run_passes, teacher_passes
from sid.cost.rates import extractor_size, sized
from sid.distill.recipe import Recipe
from sid.evaluate.removal import Keep
from sid.experiment import Plan
from sid.networks import Architecture
from sid.runs.schedule import snapshot_times, thinned

GPUS = ("A100", "H100")


@dataclass(frozen=True)
class RunCost:
    """One run of a recipe in an experiment, on one kind of GPU.

    Attributes:
        training: its cost.
        evaluation: as the experiment asks for it.
        whole: with every implementation on every snapshot.
        disk: bytes.
        asked: what is measured.
        snapshots: how many the run takes.
        legs: how many jobs train it.
    """

    training: Cost
    evaluation: Hours
    whole: Hours
    disk: Disk
    asked: Asked
    snapshots: int
    legs: int


def run_cost(plan: Plan, name: str, gpu: str) -> RunCost:
    """The cost of one run of a recipe of an experiment.

    Raises:
        UserError: the teacher's network has the size of its data, or nothing is known of the
            extractor.
    """
    recipe, given = plan.recipes[name], asked_of(plan)
    architecture = sized(plan.teacher)
    times, ends = recipe.times(), recipe.leg_ends(plan.experiment.leg_kimg)
    kept = kept_times(recipe, plan.experiment.keep)

    def measuring(given: Asked) -> Hours:
        passes = run_passes(given, len(times))
        precision = "fp16" if recipe.precision == "fp16" else "fp32"
        changes = {"dropout": recipe.dropout, "use_fp16": precision == "fp16"}  # Counted already.
        kind = architecture.model_copy(update=changes)
        return hours(passes, gpu, recipe.teacher, precision, count(kind), given.extractor)

    room = workspace(plan, given, architecture)
    return RunCost(
        cost(recipe, gpu, plan.teacher),
        measuring(given),
        measuring(given.whole()),
        disk.run_disk(architecture, times, ends, kept, recipe.batch, room),
        given,
        len(times),
        len(ends),
    )


def kept_times(recipe: Recipe, keep: Keep) -> list[int]:
    """Images whose snapshots stay when they are measured, whether they are best, last or not."""
    if keep == "best":
        return []
    if keep == "all":
        return recipe.times()
    first = int(recipe.first_kimg * 1000)
    spaced = snapshot_times(int(recipe.kimg * 1000), recipe.batch, first, recipe.per_decade)
    return thinned(spaced, first)


def asked_of(plan: Plan) -> Asked:
    """What an experiment measures."""
    evaluation = plan.experiment.evaluation
    return asked(evaluation, evaluation.extractor or f"{plan.experiment.data.name}-cnn")


def workspace(plan: Plan, given: Asked, architecture: Architecture) -> int:
    """Bytes of one evaluation while it measures."""
    n, width = max(given.n_curve, given.n_final), extractor_size(given.extractor).width
    processes = plan.experiment.cluster.evaluate.tasks
    return disk.workspace(architecture.image_shape, n, width, processes)


def teacher_hours(plan: Plan, gpu: str) -> Hours:
    """GPU-hours of measuring the teacher."""
    given, architecture = asked_of(plan), sized(plan.teacher)
    precision = "fp16" if architecture.use_fp16 else "fp32"
    passes = teacher_passes(given, plan.experiment.data.name)
    counted = count(architecture)
    return hours(passes, gpu, plan.teacher.name, precision, counted, given.extractor)


@dataclass(frozen=True)
class Total:
    """Several runs of an experiment on one kind of GPU, with the teacher's evaluation.

    Attributes:
        gpu: the kind.
        runs: how many.
        training: GPU-hours.
        evaluation: GPU-hours, as the experiment asks for it.
        whole: with every implementation on every snapshot.
        disk: of all runs at once, the data and the teacher.
        evidence: of the rates.
    """

    gpu: str
    runs: int
    training: float
    evaluation: float
    whole: float
    disk: Disk
    evidence: str


def total(plan: Plan, runs: Mapping[str, int], gpu: str) -> Total:
    """The sum of runs.

    Args:
        plan: the experiment.
        runs: how many of each recipe.
        gpu: name in `gpus.csv`.

    Raises:
        UserError: as `run_cost`.
    """
    found = {name: run_cost(plan, name, gpu) for name in runs}
    teacher = teacher_hours(plan, gpu).total
    rates = [each.training.rate for each in found.values()]
    rates += [rate for each in found.values() for rate in each.evaluation.rates]

    def over(values: Mapping[str, float]) -> float:
        return sum(runs[name] * value for name, value in values.items())

    size = reduce(add, (found[name].disk.times(n) for name, n in runs.items()), common(plan))
    return Total(
        gpu,
        sum(runs.values()),
        over({name: each.training.gpu_hours for name, each in found.items()}),
        teacher + over({name: each.evaluation.total for name, each in found.items()}),
        teacher + over({name: each.whole.total for name, each in found.items()}),
        size,
        ", ".join(sorted({rate.evidence for rate in rates})),
    )


def common(plan: Plan) -> Disk:
    """Bytes that all runs share: the data, and the teacher's weights."""
    architecture = sized(plan.teacher)
    weights = disk.files(architecture).snapshot
    shape = architecture.image_shape
    return disk.data(plan.experiment.data.name, shape) + Disk(weights, weights)


def summary(plan: Plan, runs: Sequence[str]) -> list[str]:
    """What some runs of an experiment come to, in two lines.

    Args:
        plan: the experiment.
        runs: the recipe of each run.

    Raises:
        UserError: as `run_cost`.
    """
    counts = {name: runs.count(name) for name in dict.fromkeys(runs)}
    totals = [total(plan, counts, gpu) for gpu in GPUS]
    hours = " or ".join(f"{number(each.training)} {each.gpu}-hours" for each in totals)
    more = " or ".join(number(each.evaluation) for each in totals)
    size = totals[0].disk
    return [
        f"Distillations to do: {len(runs)}, about {hours}, and {more} more to measure them "
        f"({totals[0].evidence}; docs/scaling.md)",
        f"Disk: at most {gigabytes(size.peak)}, and {gigabytes(size.end)} when all is done",
    ]


def gigabytes(size: int) -> str:
    """Bytes in GB of a thousand millions, rounded up."""
    value = size / GB
    places = 1 if value < 100 else 0
    return f"{math.ceil(value * 10**places) / 10**places:,.{places}f} GB"
