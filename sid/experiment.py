"""What to run: an experiment, as `config/*.yaml` says it and the workflow reads it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from sid.config import Batches, Strict, lay_over, parse, read_layers
from sid.distill.recipe import Recipe, load_recipe
from sid.errors import UserError
from sid.evaluate.implementations import curve_of, names_of
from sid.evaluate.removal import Keep
from sid.shipped import located
from sid.teacher.recipe import TeacherRecipe, load_teacher
from sid.verdict.claim import TEACHER, Claims, chosen, load_claims


class DataSource(Strict):
    """A data set.

    Attributes:
        name: of the data set, and of its file.
        make: what `sid data` is told to make it, without the source.
        folder: of the prepared file; null for `data` in the experiment's results.
    """

    name: str
    make: str
    folder: str | None = None


class Evaluation(Strict):
    """What is measured, by whom, and on how many images.

    Attributes:
        n_curve: images for each point of a curve.
        n_final: images for each final draw.
        draws: how many of these, of each generator and of the teacher.
        extractor: as of `sid evaluate`; null trains a classifier on the data set's labels.
        metrics: as of `sid evaluate`; null takes the usual ones.
        implementations: as of `sid evaluate`; null takes those that are usual for the extractor.
        curve: those of them that measure each snapshot, with commas; by the first of them the best
            is chosen. Null takes the first, `ours` where nobody says otherwise.
        group: snapshots that one job measures while the next leg trains; null takes a whole leg.
        statistics: published moments of the data set, which NVIDIA's protocol compares with.
        labels: how classes are drawn of a network that takes any: `uniform`, or as often as the
            `data set` has them (`sid.evaluate.labels`).
    """

    n_curve: int = Field(ge=100)
    n_final: int = Field(ge=100)
    draws: int = Field(ge=2)
    extractor: str | None = None
    metrics: str | None = None
    implementations: str | None = None
    curve: str | None = None
    group: PositiveInt | None = None
    statistics: str | None = None
    labels: Literal["uniform", "data set"] = "uniform"


class Threads(Strict):
    """CPU threads of one job; fewer threads in more jobs are the better use of small networks."""

    teacher: PositiveInt
    distill: PositiveInt


class Allocation(Strict):
    """What one job of a stage asks of a cluster; on this machine a job is one process.

    Attributes:
        nodes: machines.
        tasks: processes in all, one for each GPU where there are any; the batch is dealt to them.
        gpus: in all.
        hours: of one start; what takes longer is requeued and goes on from its checkpoint.
        memory_gb: of each machine.
    """

    nodes: PositiveInt = 1
    tasks: PositiveInt = 1
    gpus: NonNegativeInt = 0
    hours: PositiveFloat = 1
    memory_gb: PositiveFloat = 4

    def alone(self) -> "Allocation":
        """The same for a job of one process."""
        return self.model_copy(update={"nodes": 1, "tasks": 1, "gpus": min(self.gpus, 1)})


class Allocations(Strict):
    """What the jobs of each long stage ask of a cluster; tasks of an evaluation share its sets."""

    teacher: Allocation = Allocation()
    distill: Allocation = Allocation()
    evaluate: Allocation = Allocation()


class Experiment(Strict):
    """What the workflow is to do.

    Attributes:
        data: the data set.
        source: where the data set's original files are expected; null where it needs none.
        teacher: path of the teacher's recipe.
        teacher_from: whether the teacher is trained, or its recipe's official weights imported.
        recipes: paths of the distillation recipes.
        seeds: each recipe is trained with each of them.
        kimg: budget of every distillation in place of its recipe's, thousands of images; null for
            the recipe's. A run without `lr_decay` goes on to a larger one.
        budget: multiplies every duration of every recipe.
        leg_kimg: a distillation is a chain of jobs, each of so many thousand images (the first ones
            of less), whatever the budget; null for one job.
        evaluation: numbers of images.
        keep: what stays of a run's snapshots once they are measured: `all`; `best`, the best and
            the last so far; or `curve`, these and the log-spaced curve.
        until: `budget`; or `reached`: a run whose fresh draws are within the margin of its claim
            about training again ends with the leg that is then in training (docs/verdicts.md).
        threads: of one job, of each of its processes on a cluster.
        cluster: what a job asks of a cluster.
        claims: what the verdict is about, as `sid verdict --claims` takes it; null for all claims
            about the experiment's recipes and teacher, but those about published checkpoints.
        results: folder of everything computed.
        reports: folder of tables, figures and the page.
    """

    data: DataSource
    source: str | None = None
    teacher: str
    teacher_from: Literal["train", "import"] = "train"
    recipes: list[str] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    kimg: PositiveFloat | None = None
    budget: PositiveFloat
    leg_kimg: float | None = Field(None, ge=0.001)
    evaluation: Evaluation
    keep: Keep = "all"
    until: Literal["budget", "reached"] = "budget"
    threads: Threads
    cluster: Allocations = Allocations()
    claims: list[str] | None = None
    results: str
    reports: str


@dataclass(frozen=True)
class Plan:
    """An experiment with its recipes read and found to fit together.

    Attributes:
        experiment: as configured.
        teacher: the teacher's recipe at the experiment's budget.
        recipes: the distillation recipes by name, at the experiment's budget.
        paths: the file of each of these recipes by name.
    """

    experiment: Experiment
    teacher: TeacherRecipe
    recipes: dict[str, Recipe]
    paths: dict[str, str]


def experiment_path(name: str, folder: Path) -> Path:
    """The file of an experiment in a folder of them.

    Raises:
        UserError: there is none of that name.
    """
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise UserError(f"experiment={name}: unknown; known are {', '.join(known)}")
    return folder / f"{name}.yaml"


def load_experiment(name: str, folder: Path) -> Plan:
    """An experiment of a folder, as the workflow plans it.

    Args:
        name: of the experiment.
        folder: of experiments, `config` of a checkout.

    Raises:
        UserError: there is none of that name, or it is not sound.
    """
    return load_plan(read_layers(experiment_path(name, folder)))


def configuration(
    settings: Mapping[str, Any], files: Iterable[Path], folder: Path
) -> dict[str, Any]:
    """The configuration that Snakemake's command line asks for.

    Args:
        settings: of `--config`, laid over those of the files; `experiment` names an experiment,
            the demo where it is not given; `try` makes it small (`config/budget/try.yaml`).
        files: of `--configfile`; each is laid, with its bases, over the experiment.
        folder: of experiments.

    Raises:
        UserError: there is no such experiment, `try` is neither true nor false, or a file cannot
            be read.
    """
    values = read_layers(experiment_path(str(settings.get("experiment", "demo")), folder))
    dropped = {"experiment", "try", "verify", "verify_options"}  # Of the target `verify`.
    for path in files:
        values = lay_over(values, read_layers(path))
        dropped.add("base")
    values = tried(values, settings, folder) if is_try(settings) else lay_over(values, settings)
    return {key: value for key, value in values.items() if key not in dropped}


def is_try(settings: Mapping[str, Any]) -> bool:
    """Whether `--config try=true` is given; Snakemake takes only `True` for a truth value.

    Raises:
        UserError: it is neither true nor false.
    """
    given = str(settings.get("try", False)).lower()
    if given not in ("true", "false"):
        raise UserError(f"--config try={given}: give true or false")
    return given == "true"


def tried(values: Mapping[str, Any], settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """An experiment made small, in folders within its own; what it prepares of the data is kept.

    Args:
        values: the experiment.
        settings: of `--config`, laid over what makes it small.
        folder: of experiments.

    Raises:
        UserError: the file of what makes it small cannot be read.
    """
    real = lay_over(values, settings)
    places: dict[str, Any] = {key: f"{real[key]}/try" for key in ("results", "reports")}
    data = {"folder": f"{real['results']}/data", **real["data"]}
    small = lay_over(values, read_layers(folder / "budget" / "try.yaml"))
    return lay_over(lay_over(small, settings), {**places, "data": data})


def load_plan(config: Mapping[str, Any]) -> Plan:
    """Check a configuration and the recipes that it names.

    Raises:
        UserError: a key is unknown, missing or of a wrong type, or recipes do not fit together.
    """
    experiment = parse(dict(config), Experiment, "configuration")
    if len(set(experiment.seeds)) != len(experiment.seeds):
        raise UserError("configuration: seeds: the same seed twice")
    teacher = load_teacher(located(Path(experiment.teacher)))
    if experiment.teacher_from == "import" and not teacher.weights:
        raise UserError(f"{experiment.teacher}: weights: none to import; set teacher_from: train")
    recipes: dict[str, Recipe] = {}
    paths: dict[str, str] = {}
    for text in experiment.recipes:
        recipe = load_recipe(located(Path(text)), experiment.kimg)
        if recipe.name in recipes:
            raise UserError(f"{text}: name: {recipe.name} is the name of another recipe too")
        if recipe.data != experiment.data.name:
            raise UserError(f"{text}: data: is {recipe.data}, not {experiment.data.name}")
        if recipe.teacher != teacher.name:
            raise UserError(f"{text}: teacher: is {recipe.teacher}, not {teacher.name}")
        recipes[recipe.name] = recipe.scaled(experiment.budget)
        paths[recipe.name] = text
    for name, recipe in recipes.items():
        if recipe.start and recipe.start not in recipes:
            raise UserError(f"{paths[name]}: start: no recipe {recipe.start} in the experiment")
        if recipe.start and recipes[recipe.start].start:
            raise UserError(f"{paths[name]}: start: {recipe.start} has a start of its own")
    for name, recipe in recipes.items():
        check_split(paths[name], recipe, experiment.cluster.distill)
    check_even(experiment.cluster.evaluate)
    about = experiment.evaluation
    named = names_of(about.implementations, about.extractor or "")
    curve_of(about.curve, named, "configuration: evaluation: curve")
    if experiment.teacher_from == "train":
        check_split(experiment.teacher, teacher, experiment.cluster.teacher)
    return Plan(experiment, teacher.scaled(experiment.budget), recipes, paths)


def claims_of(plan: Plan, claims: Claims) -> list[str]:
    """The claims that an experiment's records can decide, or that its `claims` names.

    Args:
        plan: the experiment.
        claims: of which.

    Raises:
        UserError: it names what is no claim.
    """
    if plan.experiment.claims is not None:
        return chosen(claims, plan.experiment.claims, "configuration: claims")
    return [
        claim.name
        for claim in claims.claims.values()
        if claim.kind != "checkpoint"
        and claim.subject in plan.recipes
        and claim.against in (*plan.recipes, TEACHER, "")
        and claim.about.dataset == plan.experiment.data.name
    ]


@cache
def published_claims() -> Claims:
    """The claims of the suite's tables, read once for all the experiments of a graph.

    Raises:
        UserError: as `load_claims`.
    """
    return load_claims()


def claims_to_reach(plan: Plan, claims: Claims) -> dict[str, str]:
    """The claim that may end a run before its budget, by recipe; none unless `until: reached`.

    Args:
        plan: the experiment.
        claims: of which.

    Raises:
        UserError: nothing could ever be called reached.
    """
    experiment = plan.experiment
    if experiment.until != "reached":
        return {}
    found = {
        claim.subject: claim
        for claim in (claims.claims[name] for name in claims_of(plan, claims))
        if claim.kind == "retraining"
    }
    where = "configuration: until: reached"
    if not found:
        raise UserError(f"{where}: no claim about training a recipe again; set until: budget")
    if not experiment.leg_kimg:
        raise UserError(f"{where}: a run ends between its legs; set leg_kimg")
    about = experiment.evaluation
    names = names_of(about.implementations, about.extractor or "")
    by = curve_of(about.curve, names)
    for claim in found.values():
        if claim.protocol.implementation not in by:
            raise UserError(
                f"{where}: {claim.name} is about {claim.protocol.implementation}, which measures "
                "no curve here; name it in evaluation: curve"
            )
    return {name: claim.name for name, claim in found.items()}


def check_split(path: str, trained: Batches, asked: Allocation) -> None:
    """Check that a batch can be dealt to the processes of a job, and these to its machines.

    Raises:
        UserError: something is left over.
    """
    parts = trained.batch // trained.micro
    if parts % asked.tasks:
        raise UserError(
            f"{path}: {parts} micro-batches cannot be dealt evenly to the {asked.tasks} tasks of "
            "the configuration's cluster section; change one of them"
        )
    check_even(asked)


def check_even(asked: Allocation) -> None:
    """Check that a job can be spread over its machines.

    Raises:
        UserError: something is left over.
    """
    for name in ("tasks", "gpus"):
        if getattr(asked, name) % asked.nodes:
            raise UserError(f"configuration: cluster: {name} must be a multiple of nodes")


def schema() -> str:
    """The JSON schema of an experiment's file, as kept in `workflow/schemas/` for editors.

    It requires no key, because what a file leaves out may be in its base.
    """
    found = Experiment.model_json_schema()
    for section in (found, *found["$defs"].values()):
        section.pop("required", None)
    found["properties"]["base"] = {
        "anyOf": [{"type": "string"}, {"items": {"type": "string"}, "type": "array"}],
        "description": "The file or files beside this one that it is laid over.",
        "title": "Base",
    }
    return json.dumps(found, indent=2) + "\n"
