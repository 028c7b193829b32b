"""A finished demo beside the committed ones: what another processor or another seed changes."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from sid.errors import UserError
from sid.evaluate.records import load_table
from sid.files import read_table
from sid.report.benchmark import benchmarks
from sid.report.naming import start, teacher_nfe, titles
from sid.verdict.claim import Claims, load_claims

COLUMNS = ("machine", "seed", "quantity", "value")
LEVEL = 0.95  # That an outcome of the same code is within in every quantity.


def quantities(records: pd.DataFrame, claims: Claims) -> dict[str, float]:
    """What a demo ends with: geometric means of Frechet distances over draws and seeds.

    Args:
        records: as of `sid.evaluate.records`.
        claims: that name the recipes.

    Raises:
        UserError: the records are of several data sets or extractors.
    """
    found = benchmarks(records, claims)
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise UserError(f"the records hold {names}; compare those of one")
    drawn: dict[str, pd.Series] = {}
    for one in found:
        final, curve = one.distances("final"), one.distances("curve")
        begun = curve[(curve["images"] == 0) & (curve["draw"] == 0)]
        first = [name for name in begun["recipe"] if not start(claims.subjects, name)]
        drawn["undistilled, one step"] = begun.loc[begun["recipe"].isin(first), "value"]
        last = final[final["selection"] == "last"]
        for recipe, name in titles(claims.subjects, last["recipe"].unique()).items():
            drawn[f"{name}, last"] = last.loc[last["recipe"] == recipe, "value"]
        teacher = one.distances("teacher")
        nfe = teacher_nfe(teacher, claims.subjects)
        rows = teacher[(teacher["nfe"] == nfe) & (teacher["n_images"] == one.n_images("final"))]
        fresh = rows[rows["draw"] > 0]
        drawn[f"teacher, {nfe} evaluations"] = (fresh if len(fresh) else rows)["value"]
    return {name: float(np.exp(np.log(v).mean())) for name, v in drawn.items() if len(v)}


def compare(found: dict[str, float], spread: pd.DataFrame) -> pd.DataFrame:
    """Each quantity beside its prediction interval from the runs of other machines and seeds.

    The interval is that of one more run: mean +- t s sqrt(1 + 1 / m) of m logarithms, at a level at
    which all quantities together are within in 95 of 100 outcomes (Bonferroni). The standard
    deviation s is pooled over the quantities, as if they spread alike. Those of one run move
    together, so t has no more degrees of freedom than the runs alone give, and the interval is wide
    where runs are few. Runs that are the same to the last digit, as a teacher whose seed was not
    changed, count once.

    Args:
        found: as of `quantities`.
        spread: runs with the columns `COLUMNS`.

    Returns:
        One row a quantity: `value`, `runs` (m), `least`, `mean` and `greatest` of the runs, `low`
        and `high` of the interval, and whether the value is `within`.
    """
    shared = [name for name in dict.fromkeys(spread["quantity"]) if name in found]
    values = spread["value"].astype(float)
    runs = {name: np.log(values[spread["quantity"] == name].unique()) for name in shared}
    freedom = sum(len(logs) - 1 for logs in runs.values())
    squares = sum(float(((logs - logs.mean()) ** 2).sum()) for logs in runs.values())
    reach = math.inf
    if freedom:
        most = max(len(logs) for logs in runs.values()) - 1
        t = float(stats.t.isf((1 - LEVEL) / 2 / len(shared), most))
        reach = t * math.sqrt(squares / freedom)
    rows = []
    for name, logs in runs.items():
        middle, half = float(logs.mean()), reach * math.sqrt(1 + 1 / len(logs))
        ends = (logs.min(), middle, logs.max(), middle - half, middle + half)
        row = dict(zip(("least", "mean", "greatest", "low", "high"), np.exp(ends), strict=True))
        within = bool(row["low"] <= found[name] <= row["high"])
        rows.append({"quantity": name, "value": found[name], "runs": len(logs)} | row)
        rows[-1]["within"] = within
    return pd.DataFrame(rows)


def compare_files(records: Path, reference: Path) -> pd.DataFrame:
    """`compare` for a table of records and a folder with `spread.csv`.

    Raises:
        UserError: a file is missing or is something else, or nothing in them is the same.
    """
    path = reference / "spread.csv"
    spread = read_table(path, "name a folder with one, such as reports/reference")
    missing = [name for name in COLUMNS if name not in spread]
    if missing:
        raise UserError(f"{path}: has no column {missing[0]}")
    table = compare(quantities(load_table(records), load_claims()), spread)
    if table.empty:
        raise UserError(f"{records}: has none of the recipes of {path}")
    return table
