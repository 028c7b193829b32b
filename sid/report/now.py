"""The page at any moment: what runs and evaluations have written so far; nothing is begun."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from sid.config import read_layers
from sid.evaluate.measured import read_measured
from sid.evaluate.records import Record, load_table, read_records
from sid.experiment import Plan, claims_of, experiment_path, load_plan
from sid.files import write_atomic
from sid.report.benchmark import benchmarks
from sid.report.evidence import sentence
from sid.report.gather import Missing
from sid.report.labels import number
from sid.report.progress import progress, verdicts_so_far
from sid.report.status import Status, logged, status_of
from sid.report.writing import Measured, write_page
from sid.runs.folder import RunFolder
from sid.shipped import located
from sid.verdict.claim import TEACHER, load_claims

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
    records, before = records_so_far(plan, stand), teacher_so_far(plan)
    if not records and all(one.state == "waits" and one.own for one in stand):
        mend = before or "start the experiment, then ask again"
        where = plan.experiment.results
        return f"{where}: nothing yet: no run has begun and nothing is measured; {mend}"
    out = Path(plan.experiment.reports) / PLACE
    rows = [record.model_dump() for record in records]
    table = pd.DataFrame(rows, columns=list(Record.model_fields))
    if rows:
        write_atomic(out / "records.csv", partial(table.to_csv, index=False))
        table = load_table(out / "records.csv")
    found = benchmarks(table, claims)
    when = time.strftime("%-d %B %Y, %H:%M %Z", time.localtime(now))
    shown = progress(stand, found, claims, fresh_draws(table), when)
    if before:
        shown.said.append(sentence(before))
    verdicts = verdicts_so_far(table, claims, claims_of(plan, claims), shown.pending)
    pictures = {"samples": Missing("samples", f"drawn {LATER}")}
    page = write_page(Measured(table, verdicts, claims, found), pictures, out, shown)
    return f"{page}: open it in a browser"


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


def teacher_so_far(plan: Plan) -> str:
    """How far a teacher is that is in training, else nothing."""
    folder = RunFolder(Path(plan.experiment.results) / "teacher" / plan.teacher.name)
    if plan.experiment.teacher_from == "import" or not folder.manifest.exists():
        return ""
    if folder.done.exists():
        return ""
    images = max(folder.standing().images, logged(folder.log))
    return f"the teacher is at {number(images / 1000)} of {number(plan.teacher.kimg)} kimg"


def records_so_far(plan: Plan, stand: Sequence[Status]) -> list[Record]:
    """The records that there are: of teacher and real images, and of these very runs.

    The curve of a run is what lies in its folder. Its evaluation, which has the fresh draws, is of
    a run that was here before where it is older than the manifest.
    """
    evaluated = Path(plan.experiment.results) / "evaluate"
    paths = [evaluated / f"{name}.json" for name in ("teacher", "real")]
    found = [record for path in paths if path.exists() for record in read_records(path)]
    for one in stand:
        run = RunFolder(run_of(plan, one.recipe, one.seed))
        if not (one.own and run.manifest.exists()):
            continue
        curve = [record for records in read_measured(run).values() for record in records]
        found += curve
        whole = evaluated / one.recipe / f"seed{one.seed}.json"
        if whole.exists() and whole.stat().st_mtime >= run.manifest.stat().st_mtime:
            records = read_records(whole)
            found += [record for record in records if record.role != "curve" or not curve]
    return found


def fresh_draws(table: pd.DataFrame) -> set[str]:
    """What has its fresh draws: `RECIPE/seedN`, and `TEACHER`."""
    fresh = table[table["role"].isin(["final", "teacher"]) & (table["draw"] > 0)]
    keys = zip(fresh["role"], fresh["recipe"], fresh["run_seed"], strict=True)
    return {TEACHER if role == "teacher" else f"{recipe}/seed{seed}" for role, recipe, seed in keys}
