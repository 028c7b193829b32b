"""What `sid verify` prints: each verdict with its numbers, and what would change it."""

import math
from collections.abc import Sequence

import pandas as pd

from sid.verdict.verdict import Verdict


def summary(verdicts: Sequence[Verdict], table: pd.DataFrame) -> str:
    """A paragraph a verdict.

    Args:
        verdicts: of checkpoint claims.
        table: the records that they rest on.
    """
    return "\n\n".join("\n".join(lines(one, table)) for one in verdicts)


def lines(one: Verdict, table: pd.DataFrame) -> list[str]:
    """One verdict: its outcome, then what it rests on, a line each."""
    told = [
        ("file", file(one, table)),
        ("published", f"{one.published_text} ({one.published_of}, {one.evidence}): {one.source}"),
        ("reason", one.reason),
        ("others", others(one, table)),
        ("classes", classes(one, table)),
        ("criterion", one.criterion),
        ("margin", margin(one)),
        ("change", one.changes),
    ]
    first = f"{one.verdict.upper()}  {one.claim}: {one.statement}"
    return [first, *(f"  {name:<10} {text}" for name, text in told if text)]


def margin(one: Verdict) -> str:
    """The smallest margin at which the claim would be kept."""
    if math.isnan(one.needed_margin):
        return ""
    share = f"{one.needed_margin:.2%}".replace("%", " %")
    return f"it would reproduce at a margin of {share} of the published value"


def _rows(one: Verdict, table: pd.DataFrame) -> pd.DataFrame:
    return table[
        (table["role"] == "external")
        & (table["recipe"] == one.subject)
        & (table["metric"] == one.metric)
        & (table["n_images"] == one.n_images)
    ]


def file(one: Verdict, table: pd.DataFrame) -> str:
    """What was measured: the file, as the records name it, and its checksum."""
    rows = _rows(one, table)[["generated", "weights_sha256"]].drop_duplicates()
    return " and ".join(f"{name}, SHA-256 {found}" for name, found in rows.itertuples(index=False))


def others(one: Verdict, table: pd.DataFrame) -> str:
    """What other implementations, and another rule of classes, find: it decides nothing."""
    rows = _rows(one, table)
    means = rows.groupby(["labels", "implementation"], sort=False)["value"].mean().reset_index()
    several = rows["labels"].nunique() > 1
    first = rows["labels"].iloc[0] if len(rows) else ""  # The publisher's rule is drawn first.
    return ", ".join(
        f"{row['implementation']} {row['value']:.4g}" + (f" ({row['labels']})" if several else "")
        for row in means.to_dict("records")
        if (row["labels"], row["implementation"]) != (first, one.implementation)
    )


def classes(one: Verdict, table: pd.DataFrame) -> str:
    """By which rules the classes were drawn."""
    return " and ".join(sorted(set(_rows(one, table)["labels"]) - {""}))
