"""The published rows of the papers' tables: subjects' numbers, and everybody else's."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sid.files import read_table
from sid.verdict.claim import Claims
from sid.verdict.published import GRADES, Number

TEACHER, OTHER = "Teacher", "Other"
KEY = ["method", "alpha", "nfe"]


class Row(NamedTuple):
    """One row of a table, as published.

    Attributes:
        family: of the method.
        method: for people.
        subject: name of the subject; empty for methods that are not reproduced here.
        nfe: network evaluations of an image, as printed.
        numbers: by their names in `results.csv`.
    """

    family: str
    method: str
    subject: str
    nfe: str
    numbers: dict[str, Number]


def families(folder: Path) -> dict[str, str]:
    """Method -> family, in the order of the tables; empty where the folder has no such file.

    Args:
        folder: of the published tables, with `families.csv`.
    """
    path = folder / "families.csv"
    if not path.exists():
        return {}
    table = read_table(path, "give each method its family", dtype=str)
    return dict(zip(table["method"], table["family"], strict=True))


def best_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `results.csv` by grade, those of the best sources first, else as they stand."""
    order = list(GRADES)
    return rows.sort_values("evidence", key=lambda grade: grade.map(order.index), kind="stable")


def numbers_of(rows: pd.DataFrame) -> dict[str, Number]:
    """The numbers of one method, each by the best of its sources, with the others quoted."""
    found = {}
    for metric, of in best_first(rows).groupby("metric", sort=False):
        best = of.iloc[0]
        others = of[of["value"] != best["value"]]
        quoted = [f"{v} ({s})" for v, s in others[["value", "source"]].to_numpy()]
        found[str(metric)] = Number(
            best["value"],
            next((text for text in of["std"] if text), ""),
            " ".join(filter(None, (best["source"], best["source_locator"]))),
            best["evidence"],
            best["note"],
            tuple(quoted),
        )
    return found


def remarks(number: Number) -> str:
    """What is to be known of a number: its note, and other values that are quoted."""
    quotes = contradictions(number)
    also = f"also quoted as {'; '.join(quotes)}" if quotes else ""
    return "; ".join(filter(None, (number.note, also)))


def contradictions(number: Number, others: Iterable[Number] = ()) -> list[str]:
    """Quotations of another value than this or one of the others, roundings of it apart."""
    values = [number, *others]
    found = []
    for quote in number.quoted:
        text = quote.partition(" ")[0]
        places = len(text.partition(".")[2])
        unit = 0.5 * 10.0**-places + 1e-9
        if all(abs(float(text) - value.value) > max(unit, value.rounding) for value in values):
            found.append(quote)
    return list(dict.fromkeys(found))


def subject_rows(
    claims: Claims, names: Iterable[str], family: dict[str, str], nfe: dict[str, int]
) -> list[Row]:
    """A row for each subject, with the numbers of its claims.

    Args:
        claims: the claims.
        names: of the subjects, and of recipes without an entry.
        family: of each method.
        nfe: evaluations of recipes in the records, for those without an entry.
    """
    rows = []
    for name in names:
        about = claims.subjects.get(name)
        numbers = {
            claim.protocol.number: claim.number
            for claim in claims.claims.values()
            if claim.subject == name and claim.number
        }
        if about is None:
            of = TEACHER if nfe.get(name, 0) > 1 else OTHER
            rows.append(Row(of, name, name, str(nfe.get(name) or ""), {}))
        else:
            of = TEACHER if about.nfe > 1 else _family(claims, name, family)
            rows.append(Row(of, about.title, name, str(about.nfe), numbers))
    return rows


def _family(claims: Claims, name: str, family: dict[str, str]) -> str:
    """That of the method; of one that no table has, that of the recipe that it starts from."""
    about = claims.subjects[name]
    known = family.get(about.method or about.title, "")
    if known or about.start not in claims.subjects:
        return known or OTHER
    return _family(claims, about.start, family)


def rival_rows(published: pd.DataFrame, claims: Claims, family: dict[str, str]) -> list[Row]:
    """A row for every other number than those of the claims, and those that quote them.

    Args:
        published: rows of `results.csv` of one data set.
        claims: whose subjects have rows of their own.
        family: of each method.
    """
    numbers = (claim.number for claim in claims.claims.values() if claim.number)
    taken = published.index.isin([row for number in numbers for row in number.rows])
    rows, others = [], published[~taken]
    # Where a source does not print the evaluations and others print one number, it is that.
    lone = others[others["nfe"] != ""].groupby(KEY[:2])["nfe"].agg(["nunique", "first"])
    only = lone.loc[lone["nunique"] == 1, "first"]
    keys = pd.MultiIndex.from_frame(others[KEY[:2]])
    known = pd.Series(only.reindex(keys).to_numpy(), index=others.index)
    others = others.assign(nfe=others["nfe"].where(others["nfe"] != "", known.fillna("")))
    for (method, of, nfe), group in others.groupby(KEY, sort=False):
        name = f"{method}, alpha = {of}" if of else str(method)
        rows.append(Row(family.get(str(method), OTHER), name, "", str(nfe), numbers_of(group)))
    return rows
