"""The page and all that it shows, written into one folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sid.files import write_text
from sid.report.agreement_figure import plot_agreement
from sid.report.agreement_text import Agreement, agree, readable_agreement, readable_noise
from sid.report.benchmark import Benchmark
from sid.report.gather import Missing, Sources, gather
from sid.report.page import Numbers, render
from sid.report.progress import Progress
from sid.report.style import write_figure
from sid.report.tables import write_table
from sid.verdict.claim import Claims
from sid.verdict.published import load_published


class Measured(NamedTuple):
    """What a page is made of: records, verdicts on claims, and the records by benchmark."""

    table: pd.DataFrame
    judged: pd.DataFrame
    claims: Claims
    found: Sequence[Benchmark]


def write_page(
    measured: Measured,
    pictures: Mapping[str, Path | Missing],
    out: Path,
    progress: Progress | None = None,
) -> Path:
    """Write `index.html` with all that it shows, `tables/` and `figures/`; the page.

    Args:
        measured: records and verdicts.
        pictures: that records cannot make, by name.
        out: the folder.
        progress: of the runs, where some are on the way.

    Raises:
        UserError: a published table is damaged.
    """
    table, judged, claims, found = measured
    published = load_published(claims.path.parent / "results.csv")
    sources = Sources(claims, judged, published)
    made = {
        one.title: gather(one, sources, out, f"-{one.name}" if len(found) > 1 else "")
        for one in found
    }
    figures = {name: path for one in made.values() for name, path in one.figures.items()}
    figures |= {name: path for name, path in pictures.items() if isinstance(path, Path)}
    missing = [why for one in made.values() for why in one.missing]
    missing += [path for path in pictures.values() if isinstance(path, Missing)]
    agreement, drawn = agree(table), out / "figures" / "agreement"
    _write_agreement(agreement, drawn, out / "tables")
    if len(agreement.found):
        figures["agreement"] = drawn.with_suffix(".svg")
    else:
        missing.append(Missing("agreement", "the records have no two implementations on one set"))
    page = out / "index.html"
    text = render(
        table,
        judged,
        claims,
        papers={title: one.papers for title, one in made.items() if len(one.papers)},
        numbers=[
            Numbers(heading if len(made) == 1 else f"{heading}: {title}", "", shown)
            for title, one in made.items()
            for heading, shown in one.numbers
        ],
        figures=figures,
        agreement=agreement if len(agreement.found) else None,
        missing=missing,
        progress=progress,
    )
    write_text(page, text)
    return page


def _write_agreement(agreement: Agreement, figure: Path, tables: Path) -> None:
    """The figure, where there is something to draw, and the tables of agreement and noise."""
    if len(agreement.found):
        write_figure(plot_agreement(agreement.found, agreement.noise), figure)
    for name, numbers, readers in (
        ("agreement", agreement.table, readable_agreement(agreement.table)),
        ("noise", agreement.noise, readable_noise(agreement.noise)),
    ):
        write_table(tables / name, numbers, readers)
