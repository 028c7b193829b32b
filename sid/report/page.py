"""One self-contained HTML page: everything inline, nothing fetched, no script."""

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from sid.evaluate.metrics import INCEPTION, label
from sid.report import page_text
from sid.report.agreement_figure import legend
from sid.report.agreement_text import Agreement, readable_agreement, readable_noise, summary
from sid.report.answer import VERBS, answer, listed, subjects
from sid.report.evidence import evidence, figure, interval, sentence
from sid.report.forest import Mark, Scale, band_of, compared
from sid.report.naming import OURS
from sid.report.progress import Progress
from sid.verdict.bias import bias_of
from sid.verdict.claim import Claims
from sid.verdict.verdict import BROKEN, KEPT

TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


class Numbers(NamedTuple):
    """A table of values under a heading of its own, for people.

    Attributes:
        heading: of the table.
        text: what stands above it; may be empty.
        table: cells as they are shown.
    """

    heading: str
    text: str
    table: pd.DataFrame


class Judged(NamedTuple):
    """One row of the table of claims.

    Attributes:
        row: the verdict.
        state: `kept`, `broken` or `open`.
        figure, limits: the value and its interval in words; empty where there are none.
        mark: on the scale of per cent; none for what has no place on it.
        evidence: what stands behind the verdict.
    """

    row: Mapping[str, Any]
    state: str
    figure: str
    limits: str
    mark: Mark | None
    evidence: list[tuple[str, str]]


def data_uri(path: Path) -> str:
    """A picture as a data URI."""
    encoded = base64.b64encode(path.read_bytes()).decode()
    return f"data:{TYPES[path.suffix]};base64,{encoded}"


def code(text: str) -> Markup:
    """A text as HTML, with what stands in backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def judged(verdicts: pd.DataFrame, claims: Claims) -> tuple[list[Judged], Scale]:
    """The rows of the table of claims, by outcome, and the scale that they share.

    Args:
        verdicts: rows with the fields of `sid.verdict.verdict.Verdict`.
        claims: for the margins.
    """
    rows = [{str(key): value for key, value in row.items()} for row in verdicts.to_dict("records")]
    rows.sort(key=lambda row: list(VERBS).index(row["verdict"]))
    bounds = {
        row["claim"]: claims.claims[row["claim"]].criterion.bound
        for row in rows
        if compared(row) and row["claim"] in claims.claims
    }
    shown = [row for row in rows if row["claim"] in bounds]
    ends = [end for row in shown for end in band_of(row, bounds[row["claim"]])]
    scale = Scale([row["value"] for row in shown], ends)
    return [
        Judged(
            row,
            "kept" if row["verdict"] in KEPT else "broken" if row["verdict"] in BROKEN else "open",
            figure(row, row["value"]) if row["value"] == row["value"] else "",
            interval(row),
            scale.mark(row, bounds[row["claim"]]) if row["claim"] in bounds else None,
            evidence(row),
        )
        for row in rows
    ], scale


def render(
    records: pd.DataFrame,
    verdicts: pd.DataFrame,
    claims: Claims,
    *,
    papers: Mapping[str, pd.DataFrame] | None = None,
    numbers: Sequence[Numbers] = (),
    figures: Mapping[str, Path] | None = None,
    agreement: Agreement | None = None,
    missing: Sequence[tuple[str, str]] = (),
    progress: Progress | None = None,
) -> str:
    """The page; a section appears where there is something for it.

    Args:
        records: as of `sid.evaluate.records`; what was run is read off them.
        verdicts: rows with the fields of `sid.verdict.verdict.Verdict`; may be empty.
        claims: of the same tables as the verdicts, for names and margins.
        papers: the papers' tables for people, by data set: family, method, values, as text or as
            HTML that is safe; `attrs["notes"]` stand below, the legend first.
        numbers: further tables of values.
        figures: PNG or SVG by name, as of `sid.report.page_text.caption`.
        agreement: of the implementations.
        missing: what could not be made, and why.
        progress: of the runs, where some are on the way.

    Returns:
        HTML that needs no other file.
    """
    pictures = {
        name: (page_text.caption(name), data_uri(path)) for name, path in (figures or {}).items()
    }
    if agreement is not None and "agreement" in pictures:
        drawn, source = pictures["agreement"]
        text = legend(agreement.found, agreement.noise)
        pictures["agreement"] = (drawn._replace(alt=f"{drawn.alt} {text}", text=text), source)
    rows, scale = judged(verdicts, claims)
    shown = readable_agreement(agreement.table) if agreement is not None else None
    return _template().render(
        title=_title(records, verdicts, claims),
        answer=answer(verdicts, claims),
        rows=rows,
        ticks=scale.ticks() if any(row.mark for row in rows) else [],
        objections=page_text.objections(verdicts),
        papers=papers or {},
        numbers=numbers,
        remarks=_remarks(records) if papers or numbers else [],
        figures={name: of for name, of in pictures.items() if name != "agreement"},
        agreement_figure=pictures.get("agreement"),
        agreement=shown if shown is not None and len(shown) else None,
        noise=readable_noise(agreement.noise) if agreement is not None else None,
        ways=agreement.ways if agreement is not None else None,
        summary=summary(agreement) if agreement is not None else [],
        run=page_text.what_was_run(records),
        commands=list(dict.fromkeys(text for text in verdicts["command"] if text)),
        missing=missing,
        folded=set(records["role"]) == {"external"},  # Most of it needs training.
        progress=progress,
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sid.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(sentence=sentence, code=code)
    return environment.get_template("index.html.j2")


def _title(records: pd.DataFrame, verdicts: pd.DataFrame, claims: Claims) -> str:
    """What the page is about: the claims' subjects, or else what the records have."""
    named = subjects(verdicts, claims)
    if not named:
        methods = [str(name) for name in dict.fromkeys(records["method"]) if name]
        named = [name for name in methods if name not in ("teacher", "real")] or [
            "What was measured"
        ]
    about = [claims.subjects[name] for name in verdicts["subject"] if name in claims.subjects]
    generated = records.loc[records["role"].isin(page_text.GENERATED), "dataset"]
    data = sorted({one.dataset for one in about} or set(generated))
    return f"{listed(named, 3)} on {listed(data, 3)}" if data else listed(named, 3)


def _remarks(records: pd.DataFrame) -> list[str]:
    """How the tables of values are to be read."""
    extractors = sorted({str(name) for name in records["extractor"]})
    notes = []
    if extractors and INCEPTION not in extractors:
        named = label("frechet_distance", extractors[0])
        notes.append(
            f"{named} is not FID, whose features are those of the 2015 Inception. It compares "
            "with nothing outside this page."
        )
    found = records[(records["metric"] == "frechet_distance") & (records["implementation"] == OURS)]
    for _, own in found.groupby("extractor"):
        sizes = [int(n) for n in own.loc[own["role"].isin(["curve", "final"]), "n_images"].unique()]
        notes.append(page_text.perfect(bias_of(own, OURS), sizes) if sizes else "")
    return [note for note in notes if note]
