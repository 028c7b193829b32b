"""Tables as in the papers: families of methods, evaluations, published numbers and ours beside.

Bold is the best of a column among generators of few evaluations, the kind that the papers compare.
A value that is unverified is grey and never the best.
"""

from collections.abc import Mapping

import pandas as pd

from sid.report.benchmark import Benchmark
from sid.report.naming import titles
from sid.report.ours import OURS, SHOWN, our_values
from sid.report.published_rows import (
    TEACHER,
    Row,
    families,
    remarks,
    rival_rows,
    subject_rows,
)
from sid.verdict.claim import Claims
from sid.verdict.published import GRADES

FEW = 4  # Evaluations of an image at most, to be among those that compete for bold.
RIVALS = 10  # Others' methods that a page shows at once.
TEXTS = ["dataset", "extractor", "family", "method", "subject", "nfe"]


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a value."""
    ends = ("published", *OURS)
    values = [name for name in table if str(name).endswith(ends)]
    return table[table[values].notna().any(axis=1)].reset_index(drop=True)


def paper_table(
    benchmark: Benchmark, claims: Claims, verdicts: pd.DataFrame, published: pd.DataFrame
) -> pd.DataFrame:
    """The table of one benchmark.

    Args:
        benchmark: whose records.
        claims: the claims.
        verdicts: as in `verdicts.csv`.
        published: as of `results.csv`.

    Returns:
        One row a method: `dataset`, `extractor`, `family`, `method`, `subject`, `nfe`; for each
        metric its published value as printed (`METRIC_published`), `_evidence`, `_source` and
        `_note` (what is to be known of it, other values that are quoted); and, for the published
        weights (`_checkpoint`) and for what was trained here (`_retrained`), our value, its `_low`
        and `_high`, `_over` what, and the `_verdict`.
    """
    family, names = families(claims.path.parent), _names(benchmark, claims)
    known = [name for name in names if name in claims.subjects]
    asked = {
        (about.published.get("dataset", ""), about.published.get("conditional", ""))
        for about in (claims.subjects[name] for name in known)
    } - {("", "")}
    pairs = pd.MultiIndex.from_frame(published[["dataset", "conditional"]])
    numbers = _numbers(benchmark, claims)
    of = published[pairs.isin(list(asked)) & published["metric"].isin(list(numbers.values()))]
    rows = subject_rows(claims, names, family, _evaluations(benchmark))
    rivals = rival_rows(of, claims, family)
    ours = our_values(benchmark, claims, verdicts)
    table = pd.DataFrame([_record(row, benchmark, numbers, ours) for row in [*rivals, *rows]])
    if table.empty:
        return pd.DataFrame(columns=TEXTS)
    order = {name: place for place, name in enumerate([TEACHER, *dict.fromkeys(family.values())])}
    place = table["family"].map(order).fillna(len(order))
    table = table.loc[place.sort_values(kind="stable").index].reset_index(drop=True)
    # As in the papers: only the metrics that are published for this data set, if any is.
    printed = [metric for metric in SHOWN if table[f"{metric}_published"].notna().any()]
    dropped = [metric for metric in SHOWN if printed and metric not in printed]
    kept = [name for name in table if not str(name).startswith(tuple(dropped))]
    return table[kept].dropna(axis="columns", how="all")


def _names(benchmark: Benchmark, claims: Claims) -> list[str]:
    """Recipes of the records, and all subjects of the same published data set."""
    rows = benchmark.records[benchmark.records["role"].isin(["final", "external", "teacher"])]
    found = set(rows["recipe"])
    kinds = {
        name: about.published.get("conditional", "")
        for name, about in claims.subjects.items()
        if about.dataset == benchmark.dataset and about.published
    }
    wanted = {kind for name, kind in kinds.items() if name in found}
    if not wanted:  # Somebody's own generator alone: conditional where its classes were drawn.
        guess = "cond" if (rows["labels"] != "").any() else "uncond"
        wanted = {guess} & set(kinds.values()) or set(kinds.values())
    found |= {name for name, kind in kinds.items() if kind in wanted}
    return list(titles(claims.subjects, found))


def _evaluations(benchmark: Benchmark) -> dict[str, int]:
    """The most evaluations of each recipe in the records; 0 where that is not known."""
    rows = benchmark.records[benchmark.records["role"].isin(["final", "external", "teacher"])]
    return {str(name): int(nfe) for name, nfe in rows.groupby("recipe")["nfe"].max().items()}


def _numbers(benchmark: Benchmark, claims: Claims) -> dict[str, str]:
    """Metric -> its name in `results.csv`, for those of this extractor."""
    return {
        claim.protocol.metric: claim.protocol.number
        for claim in claims.claims.values()
        if claim.protocol.number and claim.protocol.extractor == benchmark.extractor
    }


def _record(
    row: Row,
    benchmark: Benchmark,
    numbers: Mapping[str, str],
    ours: Mapping[tuple[str, str, str], dict[str, object]],
) -> dict[str, object]:
    """One row of the table."""
    found: dict[str, object] = {
        "dataset": benchmark.title,
        "extractor": benchmark.extractor,
        "family": row.family,
        "method": row.method,
        "subject": row.subject,
        "nfe": row.nfe,
    }
    for metric in SHOWN:
        number = row.numbers.get(numbers.get(metric, ""))
        if number:
            found |= {
                f"{metric}_published": number.text,
                f"{metric}_evidence": number.evidence,
                f"{metric}_source": number.source,
                f"{metric}_note": remarks(number) or None,
            }
        else:
            for part in ("published", "evidence", "source", "note"):
                found[f"{metric}_{part}"] = None
        for kind in OURS:
            value = ours.get((row.subject, kind, metric)) or {}
            found[f"{metric}_{kind}"] = value.get("value")
            for part in ("low", "high", "over", "verdict"):
                found[f"{metric}_{kind}_{part}"] = value.get(part)
    return found


def shown_first(table: pd.DataFrame) -> pd.Series:
    """Which rows a page shows at once: the methods judged here, teachers, and the best others.

    Of the others it is the `RIVALS` that are best by the first metric, among those that compete.
    """
    own = (table["subject"] != "") | (table["family"] == TEACHER)
    printed = [metric for metric in SHOWN if f"{metric}_published" in table]
    if not printed:
        return own | True
    values = _competing(table, printed[0], "published")[~own].dropna()
    values = values if SHOWN[printed[0]] == "least" else -values
    return own | table.index.isin(values.sort_values(kind="stable").index[:RIVALS])


def best(table: pd.DataFrame) -> pd.DataFrame:
    """Which cells are the best of their column, as a table of the same shape.

    Only verified values of generators of few evaluations compete, and the published with the
    published, ours with ours.
    """
    marks = pd.DataFrame(False, index=table.index, columns=table.columns)
    if table.empty:
        return marks
    for metric in SHOWN:
        for part in ("published", *OURS):
            column = f"{metric}_{part}"
            if column not in table:
                continue
            values = _competing(table, metric, part)
            top = values.min() if SHOWN[metric] == "least" else values.max()
            marks[column] = values.eq(top)
    return marks


def _competing(table: pd.DataFrame, metric: str, part: str) -> pd.Series:
    """A column's verified values of generators of few evaluations, the others nan."""
    few = pd.to_numeric(table["nfe"], errors="coerce").le(FEW)
    values = pd.to_numeric(table[f"{metric}_{part}"], errors="coerce").where(few)
    if part == "published":
        values = values.where(table[f"{metric}_evidence"].map(GRADES).eq(True))
    return values


def unverified(table: pd.DataFrame) -> pd.DataFrame:
    """Which cells are grey: published values that may decide nothing."""
    marks = pd.DataFrame(False, index=table.index, columns=table.columns)
    for metric in SHOWN:
        if f"{metric}_published" in table:
            marks[f"{metric}_published"] = table[f"{metric}_evidence"].map(GRADES).eq(False)
    return marks
