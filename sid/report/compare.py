"""A finished demo beside the committed ones: what another processor or another seed changes."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from sid.errors import UserError
from sid.evaluate.records import load_table
from sid.files import read_table
from sid.verdict.distances import TEACHER_NFE, Distances, names_of

COLUMNS = ("machine", "seed", "quantity", "value")
LEVEL = 0.95  # That an outcome of the same code is within in every quantity.


def quantities(records: pd.DataFrame) -> dict[str, float]:
    """What a demo ends with: geometric means of Frechet distances over draws and seeds.

    Args:
        records: as of `sid.evaluate.records`.
    """
    distances = Distances(records)
    drawn = {}
    for recipe, name in names_of(distances.table["recipe"]).items():
        curves = distances.curves(recipe).values()
        if recipe == "sid":
            drawn["undistilled, one step"] = [curve.distances[0] for curve in curves]
        drawn[f"{name}, last"] = [v for run in distances.fresh(recipe).values() for v in run]
    drawn[f"teacher, {TEACHER_NFE} evaluations"] = distances.teacher("final").tolist()
    return {name: float(np.exp(np.mean(np.log(v)))) for name, v in drawn.items() if v}


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
    table = compare(quantities(load_table(records)), spread)
    if table.empty:
        raise UserError(f"{records}: has none of the recipes of {path}")
    return table
