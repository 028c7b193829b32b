"""Published numbers with their sources, and what may be decided by them."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
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
SPEEDUP = "speedup"
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
        rows: of `results.csv`, its own and those that quote it.
    """

    text: str
    std: str
    source: str
    evidence: str
    note: str
    quoted: tuple[str, ...]
    rows: tuple[int, ...] = ()

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def rounding(self) -> float:
        """Half a unit of its last decimal."""
        return 0.5 * 10.0 ** -decimals(self.text)


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
    mend = "SID_PUBLISHED names the folder of published tables"
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
        wrong = _wrong_value(row) if "value" in COLUMNS[path.name] else ""
        if wrong:
            raise UserError(f"{path}: line {number}: {wrong} is no number above zero")
    return table


def _wrong_value(row: Mapping[Any, str]) -> str:
    """What of a row should be a number and is none, empty if nothing; a speedup is in words."""
    if row["metric"] == SPEEDUP:
        return ""
    for column in ("value", "std"):
        if (text := row[column]) or column == "value":
            try:
                if 0 < float(text) < math.inf:
                    continue
            except ValueError:
                pass
            return f"{column} {text!r}"
    return ""


def number_of(
    results: pd.DataFrame,
    asked: Mapping[str, str],
    where: str,
    quoted: Sequence[Mapping[str, str]] = (),
) -> Number:
    """One number of `results.csv`, from the best graded of its sources.

    Of sources of one grade the one with the most decimals is taken; the others are quoted.

    Args:
        results: as loaded.
        asked: columns and what they hold.
        where: what asks, for the error.
        quoted: columns laid over `asked`, of rows that print the number under other names.

    Raises:
        UserError: there is none, a column is unknown, or equally good sources print different
            values.
    """
    said = ", ".join(f"{column} {wanted or 'empty'}" for column, wanted in asked.items())
    rows = _rows(results, asked, where)
    if rows.empty:
        raise UserError(f"{where}: results.csv has no row of {said}; add one, with its source")
    grades = list(GRADES)
    pairs = zip(rows["evidence"], rows["value"], strict=True)
    ranks = [(grades.index(evidence), -decimals(value)) for evidence, value in pairs]
    equal = rows[[rank == min(ranks) for rank in ranks]]
    best = equal.iloc[0]
    if equal["value"].nunique() > 1:
        both = ", ".join(sorted(set(equal["value"])))
        raise UserError(f"{where}: results.csv: {said}: equally good sources print {both}")
    rows = pd.concat([rows, *(_rows(results, {**asked, **other}, where) for other in quoted)])
    others = rows[rows["value"] != best["value"]]
    return Number(
        best["value"],
        next((text for text in rows["std"] if text), ""),
        " ".join(filter(None, (best["source"], best["source_locator"]))),
        best["evidence"],
        best["note"],
        tuple(f"{row['value']} ({row['source']})" for _, row in others.iterrows()),
        tuple(rows.index),
    )


def _rows(results: pd.DataFrame, asked: Mapping[str, str], where: str) -> pd.DataFrame:
    held = np.full(len(results), True)
    for column, wanted in asked.items():
        if column not in results:
            known = ", ".join(COLUMNS["results.csv"])
            raise UserError(f"{where}: {column} is no column of results.csv; known are {known}")
        held &= (results[column] == wanted).to_numpy(dtype=bool)
    return results[held]


def decimals(text: str) -> int:
    """Digits after the point."""
    return len(text.partition(".")[2])


def kimg_of(path: Path) -> dict[str, float]:
    """Images of training of published weights, in thousands, by the name of their file.

    Args:
        path: `checkpoints.csv`, whose `source_locator` ends with that name; it may be missing.

    Raises:
        UserError: the table cannot be used.
    """
    if not path.exists():
        return {}
    table = load_published(path)
    names = table["source_locator"].str.extract(r"([^\s/]+)$")[0]
    return dict(zip(names, table["kimg"].astype(float), strict=True))
