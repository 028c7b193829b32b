"""`sid report`: tables, figures and the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from sid.errors import UserError
from sid.evaluate.records import load_table
from sid.files import read_table, write_text
from sid.report.agreement import agreement_table, differences, plot_agreement, readable_agreement
from sid.report.curves import plot_curves
from sid.report.grids import strips, write_grid
from sid.report.page import render
from sid.report.style import write_figure
from sid.report.tables import main_table, readable, write_table
from sid.runs.folder import snapshot_at
from sid.verdict.distances import Distances
from sid.verdict.published import COLUMNS
from sid.verdict.verdict import Verdict


def _read(path: Path, model: Sequence[str]) -> pd.DataFrame:
    empty = {name: [""] for name in ("value", "low", "high")}
    table = read_table(path, "make it with `sid verdict`", na_values=empty)
    missing = [name for name in model if name not in table.columns]
    if missing:
        raise UserError(f"{path}: has no column {missing[0]}; make it with `sid verdict`")
    return table


def write_report(records: Path, verdicts: Path, runs: Path, teacher: Path, out: Path) -> Path:
    """Write `index.html`, `tables/` and `figures/` into a folder.

    Args:
        records: the merged records.
        verdicts: folder that `sid verdict` wrote.
        runs: folder of runs, `<recipe>/seed<k>`.
        teacher: the teacher's snapshot, or its run folder.
        out: the folder.

    Returns:
        The page.

    Raises:
        UserError: an input is missing or cannot be used.
    """
    table = load_table(records)
    distances = Distances(table)
    judged = _read(verdicts / "verdicts.csv", list(Verdict.model_fields))
    published = _read(verdicts / "published.csv", COLUMNS["results.csv"])
    found = differences(table)
    shown = strips(runs, snapshot_at(teacher))  # Before anything is written: runs may be missing.
    for name, figure in (("curves", plot_curves(distances)), ("agreement", plot_agreement(found))):
        write_figure(figure, out / "figures" / name)
    write_grid(shown, out / "figures" / "samples.png")
    main, agreement = main_table(table), agreement_table(found)
    extractor = ", ".join(sorted(set(table["extractor"])))
    write_table(out / "tables" / "main", main, readable(main, extractor))
    write_table(out / "tables" / "agreement", agreement, readable_agreement(agreement))
    figures = {name: out / "figures" / f"{name}.svg" for name in ("curves", "agreement")}
    figures["samples"] = out / "figures" / "samples.png"
    page = out / "index.html"
    write_text(page, render(table, judged, published, figures))
    return page


def report(
    records: Annotated[Path, typer.Argument(help="Merged records, a CSV.")],
    teacher: Annotated[Path, typer.Option(help="The teacher's weights, or its run folder.")],
    verdicts: Annotated[Path, typer.Option(help="Folder written by `sid verdict`.")] = Path(
        "results/verdict"
    ),
    runs: Annotated[Path, typer.Option(help="Folder of runs, <recipe>/seed<k>.")] = Path(
        "results/distill"
    ),
    out: Annotated[Path, typer.Option(help="Folder for the page, tables and figures.")] = Path(
        "reports"
    ),
) -> None:
    """Write the tables, the figures and one self-contained page.

    Example: sid report results/records.csv --teacher results/teacher/digits
    --verdicts results/verdict --runs results/distill --out reports
    """
    print(f"{write_report(records, verdicts, runs, teacher, out)}: open it in a browser")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.command("report")(report)
