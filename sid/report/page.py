"""One self-contained HTML page: everything inline, nothing fetched, no script."""

import base64
import math
from collections.abc import Mapping
from pathlib import Path

import jinja2
import pandas as pd

from sid.evaluate.metrics import INCEPTION, label
from sid.report import page_text
from sid.report.agreement import TOLERANCE
from sid.report.agreement_text import Agreement, readable_agreement, readable_noise, summary
from sid.report.labels import number
from sid.report.tables import endings, ladder, readable
from sid.verdict.distances import DECIDES, Distances

TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
SHOWN = [
    "method",
    "dataset",
    "conditional",
    "metric",
    "value",
    "std",
    "evidence",
    "source",
]


def data_uri(path: Path) -> str:
    """A picture as a data URI."""
    encoded = base64.b64encode(path.read_bytes()).decode()
    return f"data:{TYPES[path.suffix]};base64,{encoded}"


def interval(row: Mapping[str, float]) -> str:
    """A verdict's limits for people; empty where there are none."""
    if math.isnan(row["low"]):
        return ""
    return f"{number(row['low'])} to {number(row['high'])}"


def own_numbers(published: pd.DataFrame) -> pd.DataFrame:
    """The published numbers of the methods reproduced here; the CSV has those of all others."""
    return published[published["method"].str.match(r"SiD(A|2A)?(\W|$)")]


def render(
    records: pd.DataFrame,
    table: pd.DataFrame,
    distances: Distances,
    agreement: Agreement,
    verdicts: pd.DataFrame,
    published: pd.DataFrame,
    figures: Mapping[str, Path],
) -> str:
    """The page.

    Args:
        records: records of one benchmark, as of `sid.verdict.distances.one_benchmark`.
        table: as of `sid.report.tables.main_table`.
        distances: of the implementation that decides.
        agreement: of all records.
        verdicts: as in `verdicts.csv`.
        published: as in `published.csv`.
        figures: `curves`, `agreement` and, where there are run folders, `samples`.

    Returns:
        HTML that needs no other file.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sid.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(number=number, interval=interval)
    extractor = ", ".join(sorted(set(records["extractor"])))
    seeds, n_final = page_text.seeds(records), distances.n_images("final")
    redraw = agreement.noise[agreement.noise["extractor"] == extractor]
    return environment.get_template("index.html.j2").render(
        dataset=", ".join(sorted(set(records["dataset"]))),
        extractor=extractor,
        seeds=seeds,
        errors=page_text.errors(redraw, seeds, n_final),
        perfect=page_text.perfect(distances.bias, [distances.n_images("curve"), n_final]),
        run=page_text.what_was_run(records),
        tiles=page_text.tiles(endings(table)),
        counts=page_text.counts(verdicts),
        verdicts=verdicts.to_dict("records"),
        endings=readable(endings(table), extractor),
        ladder=readable(ladder(table), extractor),
        distance=label("frechet_distance", extractor),
        fid=extractor == INCEPTION,
        agreement=readable_agreement(agreement.table),
        noise=readable_noise(agreement.noise),
        ways=agreement.ways,
        summary=summary(agreement),
        tolerance=TOLERANCE,
        decides=DECIDES,
        published=own_numbers(published)[SHOWN],
        n_published=len(published),
        figures={name: data_uri(path) for name, path in figures.items()},
    )
