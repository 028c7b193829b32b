"""`sid report`: tables, figures and the page; or the agreement of implementations alone."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from sid.evaluate.records import Record, load_table, read_records, refuse_twice
from sid.files import write_atomic, write_text
from sid.options import group
from sid.report.agreement_figure import plot_agreement
from sid.report.agreement_text import agree, readable_agreement, readable_noise, sheet
from sid.report.compare import compare_files
from sid.report.curves import plot_curves
from sid.report.grids import strips, write_grid
from sid.report.page import Numbers, render
from sid.report.style import write_figure
from sid.report.tables import endings, ladder, main_table, readable, write_table
from sid.report.verdicts import read_verdicts
from sid.runs.folder import snapshot_at
from sid.verdict.claim import load_claims
from sid.verdict.distances import Distances, one_benchmark

app = typer.Typer(
    cls=group("page"),
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write the tables, the figures and one self-contained page, or the agreement alone.\n\n"
    "`sid report RECORDS ...` is short for `sid report page RECORDS ...`.",
)


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
    judged = read_verdicts(verdicts)
    agreement = agree(table)
    shown = strips(runs, snapshot_at(teacher))  # Before anything is written: runs may be missing.
    drawn = {
        "curves": plot_curves(distances),
        "agreement": plot_agreement(agreement.found, agreement.noise),
    }
    for name, figure in drawn.items():
        write_figure(figure, out / "figures" / name)
    write_grid(shown, out / "figures" / "samples.png")
    rows, main = one_benchmark(table), main_table(table)
    extractor = ", ".join(sorted(set(rows["extractor"])))
    for name, numbers, readers in (
        ("main", main, readable(main, extractor)),
        ("agreement", agreement.table, readable_agreement(agreement.table)),
        ("noise", agreement.noise, readable_noise(agreement.noise)),
    ):
        write_table(out / "tables" / name, numbers, readers)
    figures = {name: out / "figures" / f"{name}.svg" for name in drawn}
    figures["samples"] = out / "figures" / "samples.png"
    page = out / "index.html"
    ends = Numbers("Where the methods end", "", readable(endings(main), extractor))
    levels = Numbers("Start, teacher and real images", "", readable(ladder(main), extractor))
    shown_numbers = [one for one in (ends, levels) if len(one.table)]
    text = render(
        table, judged, load_claims(), numbers=shown_numbers, figures=figures, agreement=agreement
    )
    write_text(page, text)
    return page


def read_values(paths: Sequence[Path]) -> pd.DataFrame:
    """Records of evaluations (JSON) and merged tables (CSV) as one table.

    Raises:
        UserError: a file cannot be used, or a value stands in two of them.
    """
    columns = list(Record.model_fields)
    parts = [
        load_table(path)[columns]
        if path.suffix.lower() == ".csv"
        else pd.DataFrame([one.model_dump() for one in read_records(path)], columns=columns)
        for path in paths
    ]
    table = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    refuse_twice(table, paths[-1])
    return table.infer_objects()


def write_agreement(paths: Sequence[Path], out: Path) -> Path:
    """Write `agreement.md`, its figure and its tables `agreement.csv` and `noise.csv`.

    Args:
        paths: as of `read_values`.
        out: the folder.

    Returns:
        The Markdown sheet.

    Raises:
        UserError: the records cannot be used, or hold no two implementations on the same images.
    """
    agreement = agree(read_values(paths))
    text = sheet(agreement)
    write_figure(plot_agreement(agreement.found, agreement.noise), out / "agreement")
    for name, table in (("agreement", agreement.table), ("noise", agreement.noise)):
        write_atomic(out / f"{name}.csv", functools.partial(table.to_csv, index=False))
    write_text(out / "agreement.md", text)
    return out / "agreement.md"


@app.command()
def page(
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


@app.command()
def agreement(
    records: Annotated[
        list[Path], typer.Argument(help="Records of evaluations, JSON or a merged CSV.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the sheet, its tables and figure.")] = Path(
        "reports/agreement"
    ),
) -> None:
    """Compare every two implementations on the same images, beside the noise of redrawing.

    Example: sid report agreement samples.json --out reports/agreement
    """
    print(f"{write_agreement(records, out)}: of {len(records)} files of records")


@app.command()
def compare(
    records: Annotated[Path, typer.Argument(help="Merged records of a finished demo, a CSV.")],
    reference: Annotated[
        Path, typer.Argument(help="Folder with spread.csv, such as reports/reference.")
    ],
) -> None:
    """Compare an outcome with those of other processors; exit status 1 if it is beyond them.

    Example: sid report compare results/records.csv reports/reference
    """
    table = compare_files(records, reference)
    shown = table.assign(within=table["within"].map({True: "within", False: "NOT within"}))
    print(shown.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    outside = table.loc[~table["within"], "quantity"].tolist()
    if outside:
        print(f"Not within what the runs of {reference} give: {', '.join(outside)}")
        raise typer.Exit(1)
    print(f"Within what the {table['runs'].max()} runs of {reference} give")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="report")
