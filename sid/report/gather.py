"""Tables and figures of a benchmark: what its records allow, and what is missing and why."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from sid.errors import UserError
from sid.files import write_atomic, write_text
from sid.report.ablation import plot_ablation
from sid.report.benchmark import Benchmark
from sid.report.cost_figure import plot_cost
from sid.report.curves import plot_curves
from sid.report.grids import strips, write_grid
from sid.report.naming import teacher_nfe
from sid.report.paper_cells import cells, papers_html, papers_markdown, to_latex
from sid.report.papers import filled, paper_table
from sid.report.style import write_figure
from sid.report.tables import endings, ladder, main_table, readable, write_table
from sid.report.walk import plot_walk
from sid.runs.folder import snapshot_at
from sid.verdict.claim import Claims

Plot = Callable[[Benchmark, Claims, pd.DataFrame], Figure | None]
# Name -> what draws it, and what it needs.
FIGURES: dict[str, tuple[Plot, str]] = {
    "curves": (plot_curves, "no snapshots along a training (role `curve`)"),
    "ablation": (plot_ablation, "no method at two values of alpha"),
    "walk": (plot_walk, "no two recipes that differ in one option"),
    "cost": (plot_cost, "no recipe trained here whose rate `sid cost` knows"),
}


class Missing(NamedTuple):
    """What could not be made, and why."""

    what: str
    why: str


class Gathered(NamedTuple):
    """What was made of a benchmark.

    Attributes:
        papers: the papers' table for people, with its notes in `attrs`.
        numbers: heading and table, for people.
        figures: files by name.
        missing: the rest.
    """

    papers: pd.DataFrame
    numbers: list[tuple[str, pd.DataFrame]]
    figures: dict[str, Path]
    missing: list[Missing]


class Sources(NamedTuple):
    """What tables and figures are made from, besides the records.

    Attributes:
        claims: the claims.
        verdicts: as in `verdicts.csv`.
        published: `results.csv` as loaded.
    """

    claims: Claims
    verdicts: pd.DataFrame
    published: pd.DataFrame


def gather(benchmark: Benchmark, sources: Sources, out: Path, suffix: str) -> Gathered:
    """Write the tables and figures of one benchmark.

    Args:
        benchmark: the benchmark.
        sources: the rest.
        out: folder of `tables/` and `figures/`.
        suffix: of the files' names, empty where there is one benchmark.
    """
    claims = sources.claims
    paper = paper_table(benchmark, claims, sources.verdicts, sources.published)
    table = filled(paper)
    shown = cells(table)
    stem = out / "tables" / f"papers{suffix}"
    write_atomic(
        stem.with_suffix(".csv"), functools.partial(table.to_csv, index=False, lineterminator="\n")
    )
    write_text(stem.with_suffix(".md"), papers_markdown(shown))
    write_text(stem.with_suffix(".tex"), to_latex(shown, benchmark.title))
    main = main_table(benchmark.records, claims.subjects)
    write_table(out / "tables" / f"main{suffix}", main, readable(main, benchmark.extractor))
    numbers = [
        (heading, readable(rows, benchmark.extractor))
        for heading, rows in (
            ("Where the methods end", endings(main)),
            ("Start, teacher and real images", ladder(main)),
        )
        if len(rows)
    ]
    figures, missing = {}, []
    for name, (plot, needs) in FIGURES.items():
        figure = plot(benchmark, claims, paper)
        if figure is None:
            missing.append(Missing(f"{name}, {benchmark.title}", f"the records have {needs}"))
        else:
            write_figure(figure, out / "figures" / f"{name}{suffix}")
            figures[f"{name}{suffix}"] = out / "figures" / f"{name}{suffix}.svg"
    return Gathered(papers_html(shown), numbers, figures, missing)


def samples(
    runs: Path, teacher: Path | None, records: pd.DataFrame, claims: Claims, out: Path
) -> Path:
    """Write samples along the iterations, which need run folders.

    Args:
        runs: folder of runs, `<recipe>/seed<k>`.
        teacher: its snapshot, or its run folder; none leaves its row out.
        records: that tell the teacher's evaluations.
        claims: that name the recipes.
        out: the PNG.
    """
    snapshot = snapshot_at(teacher) if teacher else None
    nfe = teacher_nfe(records, claims.subjects) or 1
    write_grid(strips(runs, snapshot, claims.subjects, nfe), out)
    return out


def beside(records: Path, out: Path, mend: str) -> Path | Missing:
    """Take a picture that was made before, and lies beside the records or in `figures/` there.

    Args:
        records: the file of records.
        out: the PNG; it has the same name.
        mend: what makes the picture, for what is missing.

    Raises:
        UserError: it cannot be read.
    """
    for found in (records.parent / out.name, records.parent / "figures" / out.name):
        if found.exists():
            try:
                picture = found.read_bytes()
            except OSError as error:
                raise UserError(f"{found}: cannot be read: {error.strerror}") from error
            write_atomic(out, functools.partial(_write, picture=picture))
            return out
    return Missing(out.stem, f"there is no {out.name} beside the records; {mend}")


def _write(path: Path, picture: bytes) -> None:
    path.write_bytes(picture)
