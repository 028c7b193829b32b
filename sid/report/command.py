"""`sid report`: tables, figures and the page; or the agreement of implementations alone."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sid.evaluate.merging import merged
from sid.evaluate.records import load_table
from sid.files import write_atomic, write_text
from sid.options import group
from sid.report.agreement_figure import plot_agreement
from sid.report.agreement_text import agree, sheet
from sid.report.benchmark import benchmarks
from sid.report.compare import compare_files
from sid.report.gather import beside, samples
from sid.report.now import write_now
from sid.report.style import write_figure
from sid.report.verdicts import read_verdicts
from sid.report.writing import Measured, write_page
from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.given import held_against, named_after_files
from sid.verdict.verdict import to_table

app = typer.Typer(
    cls=group("page"),
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write the tables, the figures and one self-contained page, or the agreement alone.\n\n"
    "`sid report RECORDS ...` is short for `sid report page RECORDS ...`.",
)

# Pictures that records cannot make, and what makes them.
PICTURES = {
    "samples": "give --runs, and --teacher for its row",
    "neighbours": "`sid evaluate neighbours GENERATED REFERENCE --out neighbours.png` makes it",
}


def write_report(
    records: Path, verdicts: Path | None, runs: Path | None, teacher: Path | None, out: Path
) -> Path:
    """Write `index.html`, `tables/` and `figures/` into a folder.

    Args:
        records: the merged records, also of several data sets and extractors.
        verdicts: folder that `sid verdict` wrote; without one the claims are judged here.
        runs: folder of runs, `<recipe>/seed<k>`.
        teacher: the teacher's snapshot, or its run folder.
        out: the folder.

    Returns:
        The page.

    Raises:
        UserError: an input is missing or cannot be used.
    """
    table = load_table(records)
    claims = held_against(load_claims(), table)
    judged = read_verdicts(verdicts) if verdicts else to_table(judge(table, claims))
    table = named_after_files(table, claims)
    found = benchmarks(table, claims)
    # Before anything else is written: runs may be missing.
    pictures = {
        name: samples(runs, teacher, table, claims, out / "figures" / f"{name}.png")
        if runs and name == "samples"
        else beside(records, out / "figures" / f"{name}.png", mend)
        for name, mend in PICTURES.items()
    }
    return write_page(Measured(table, judged, claims, found), pictures, out)


def write_agreement(paths: Sequence[Path], out: Path) -> Path:
    """Write `agreement.md`, its figure and its tables `agreement.csv` and `noise.csv`.

    Args:
        paths: as of `sid.evaluate.merging.merged`.
        out: the folder.

    Returns:
        The Markdown sheet.

    Raises:
        UserError: the records cannot be used, or hold no two implementations on the same images.
    """
    agreement = agree(merged(paths))
    text = sheet(agreement)
    write_figure(plot_agreement(agreement.found, agreement.noise), out / "agreement")
    for name, table in (("agreement", agreement.table), ("noise", agreement.noise)):
        write_atomic(out / f"{name}.csv", functools.partial(table.to_csv, index=False))
    write_text(out / "agreement.md", text)
    return out / "agreement.md"


@app.command()
def page(
    records: Annotated[Path, typer.Argument(help="Merged records, a CSV.")],
    verdicts: Annotated[
        Path | None, typer.Option(help="Folder written by `sid verdict`; judged here without.")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of runs, <recipe>/seed<k>, for samples.")
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="The teacher's weights or run folder, for samples.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the page, tables and figures.")] = Path(
        "reports"
    ),
) -> None:
    """Write the tables, the figures and one self-contained page.

    From records alone; the page names what could not be made, and why.

    Example: sid report results/records.csv --runs results/distill
    --teacher results/teacher/digits --out reports
    """
    written = write_report(records, verdicts, runs, teacher, out)
    print(f"{written}: open it in a browser")


@app.command()
def now(
    experiment: Annotated[
        str, typer.Argument(help="As `snakemake --config experiment=` names it, or a YAML file.")
    ] = "demo",
) -> None:
    """Write the page of what runs and evaluations have written so far, at any moment.

    It reads, begins nothing, and stands in the way of nothing that trains or measures.

    Example: sid report now cifar10
    """
    print(write_now(experiment))


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
