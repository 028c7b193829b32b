"""Published numbers with their sources, and what may be decided by them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sid.errors import UserError
from sid.files import read_table

# Grade of evidence -> whether a value of it may ever decide a verdict.
GRADES = {
    "primary": True,
    "primary-mean-only": True,
    "primary-value": True,
    "secondary": True,
    "unverified": False,
}
COMMON = ("method", "dataset", "conditional", "nfe", "alpha", "params")
SOURCES = ("source", "source_locator", "note", "evidence")
COLUMNS = {
    "results.csv": (*COMMON, "metric", "value", "std", *SOURCES),
    "checkpoints.csv": (*COMMON, "kimg", *SOURCES),
}


class Number(NamedTuple):
    """A published number, by its best source.

    Attributes:
        text: as printed there.
        std: the spread printed beside it, as printed; shown, never used.
        source: where, with the place in it.
        evidence: grade, a key of `GRADES`.
        note: what is to be known of it.
        quoted: other values that other sources print of it, as `value (source)`.
    """

    text: str
    std: str
    source: str
    evidence: str
    note: str
    quoted: tuple[str, ...]

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def rounding(self) -> float:
        """Half a unit of its last decimal."""
        return 0.5 * 10.0 ** -len(self.text.partition(".")[2])


def load_published(path: Path) -> pd.DataFrame:
    """One table of published numbers, all text as printed.

    Args:
        path: `results.csv` or `checkpoints.csv` of `baselines/published`.

    Returns:
        Its rows; columns as `COLUMNS[path.name]`.

    Raises:
        UserError: the file is missing, lacks a column or a source, or has an unknown grade.
    """
    if path.name not in COLUMNS:
        raise UserError(f"{path}: not one of {', '.join(COLUMNS)}")
    mend = "give the folder baselines/published of the repository with --published"
    table = read_table(path, mend, dtype=str)
    for name in COLUMNS[path.name]:
        if name not in table.columns:
            raise UserError(f"{path}: has no column {name}")
    for number, row in enumerate(table.to_dict("records"), start=2):
        if row["evidence"] not in GRADES:
            grades = ", ".join(GRADES)
            raise UserError(
                f"{path}: line {number}: evidence {row['evidence']!r} is none of {grades}"
            )
        if not row["source"]:
            raise UserError(f"{path}: line {number}: has no source")
    return table


def number_of(results: pd.DataFrame, asked: Mapping[str, str], where: str) -> Number:
    """One number of `results.csv`, from the best graded of its sources.

    Args:
        results: as loaded.
        asked: columns and what they hold.
        where: what asks, for the error.

    Raises:
        UserError: there is none, or sources of the best grade print different values.
    """
    said = ", ".join(f"{column} {wanted}" for column, wanted in asked.items())
    rows = results
    for column, wanted in asked.items():
        if column not in rows:
            raise UserError(f"{where}: {column} is no column of results.csv")
        rows = rows[rows[column] == wanted]
    if rows.empty:
        raise UserError(f"{where}: results.csv has no {said}")
    order = list(GRADES)
    rows = rows.sort_values("evidence", key=lambda grade: grade.map(order.index), kind="stable")
    best = rows.iloc[0]
    equal = rows.loc[rows["evidence"] == best["evidence"], "value"]
    if equal.nunique() > 1:
        raise UserError(f"{where}: {said}: one grade has {', '.join(sorted(set(equal)))}")
    others = rows[rows["value"] != best["value"]]
    return Number(
        best["value"],
        next((text for text in rows["std"] if text), ""),
        " ".join(filter(None, (best["source"], best["source_locator"]))),
        best["evidence"],
        best["note"],
        tuple(f"{row['value']} ({row['source']})" for _, row in others.iterrows()),
    )


def not_run(results: pd.DataFrame) -> pd.DataFrame:
    """Each published number with the verdict `not run`, which no record here can change.

    A number counts only against records of its own data set, image count and feature extractor.

    Args:
        results: `results.csv` as loaded.

    Returns:
        The same rows and the columns `may_decide`, `verdict` and `reason`.
    """
    may_decide = results["evidence"].map(GRADES)
    needs = "no records of " + results["dataset"] + " with the published extractor and image count"
    unchecked = "; the number itself is unverified and decides nothing"
    reason = needs + may_decide.map({True: "", False: unchecked})
    return results.assign(may_decide=may_decide, verdict="not run", reason=reason)
