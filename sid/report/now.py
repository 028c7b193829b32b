"""The page at any moment: what runs and evaluations have written so far; nothing is begun."""

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sid.config import read_layers
from sid.evaluate.merging import merge_records
from sid.evaluate.records import Record, load_table
from sid.experiment import Plan, claims_of, experiment_path, load_plan
from sid.report.benchmark import benchmarks
from sid.report.gather import Missing
from sid.report.progress import progress, verdicts_so_far
from sid.report.status import Status, status_of
from sid.report.writing import Measured, write_page
from sid.runs.folder import RunFolder
from sid.shipped import located
from sid.verdict.claim import TEACHER, Claims, load_claims

PLACE = "now"  # Beside the final page, which the workflow makes in the end.
LATER = "on the page that the workflow makes in the end"


def write_now(experiment: str, now: float | None = None) -> str:
    """Write the page of an experiment as it stands into `now/` of its reports.

    Args:
        experiment: its name, or a YAML file.
        now: seconds since the epoch; None for the clock's.

    Returns:
        One line for people: where the page is, or that there is nothing yet.

    Raises:
        UserError: there is no such experiment, or a file of its results is damaged.
    """
    known = Path(experiment)
    named = not known.suffix and not known.exists()
    path = experiment_path(experiment, located(Path("config"))) if named else known
    plan, claims = load_plan(read_layers(path)), load_claims()
    now = time.time() if now is None else now
    stand = statuses(plan, now)
    paths = records_so_far(plan, stand)
    if not paths and all(one.state == "waits" and one.own for one in stand):
        return (
            f"{plan.experiment.results}: nothing yet: no run has begun and nothing is measured; "
            "start the experiment, then ask again"
        )
    out = Path(plan.experiment.reports) / PLACE
    table = pd.DataFrame(columns=list(Record.model_fields))
    if paths:
        merge_records(paths, out / "records.csv")
        table = load_table(out / "records.csv")
    return f"{page_of(plan, claims, stand, table, out, now)}: open it in a browser"


def statuses(plan: Plan, now: float) -> list[Status]:
    """How each run of an experiment stands."""
    return [
        status_of(run_of(plan, name, seed), recipe, seed, now)
        for name, recipe in plan.recipes.items()
        for seed in plan.experiment.seeds
    ]


def run_of(plan: Plan, recipe: str, seed: int) -> Path:
    """The folder of a run."""
    return Path(plan.experiment.results) / "distill" / recipe / f"seed{seed}"


def records_so_far(plan: Plan, stand: Sequence[Status]) -> list[Path]:
    """The files of records that there are: of teacher and real images, and of these very runs.

    A run's evaluation that is older than its manifest is of a run that was here before.
    """
    evaluated = Path(plan.experiment.results) / "evaluate"
    found = [path for name in ("teacher", "real") if (path := evaluated / f"{name}.json").exists()]
    for one in stand:
        run = RunFolder(run_of(plan, one.recipe, one.seed))
        if not (one.own and run.manifest.exists()):
            continue
        found += sorted((run.path / "measured").glob("[0-9]*.json"))
        whole = evaluated / one.recipe / f"seed{one.seed}.json"
        if whole.exists() and whole.stat().st_mtime >= run.manifest.stat().st_mtime:
            found.append(whole)
    return found


def page_of(
    plan: Plan,
    claims: Claims,
    stand: Sequence[Status],
    table: pd.DataFrame,
    out: Path,
    now: float,
) -> Path:
    """Judge what is whole, and write the page."""
    found = benchmarks(table, claims)
    fresh = table[(table["role"].isin(["final", "teacher"])) & (table["draw"] > 0)]
    finals = {
        TEACHER if role == "teacher" else f"{recipe}/seed{seed}"
        for role, recipe, seed in zip(
            fresh["role"], fresh["recipe"], fresh["run_seed"], strict=True
        )
    }
    when = time.strftime("%-d %B %Y, %H:%M %Z", time.localtime(now))
    shown = progress(stand, found, claims, finals, when)
    verdicts = verdicts_so_far(table, claims, claims_of(plan, claims), shown.pending)
    measured = Measured(table, verdicts, claims, found)
    pictures = {"samples": Missing("samples", f"drawn {LATER}")}
    return write_page(measured, pictures, out, shown)
