"""The main table, and how every table is written: once as CSV and once as Markdown."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from sid.evaluate.table import NAMES as NAMES_OF_METRICS
from sid.evaluate.table import label
from sid.files import write_atomic, write_text
from sid.verdict.distances import BRANCHES, DECIDES, NAMES, ROLES

TEXTS = (
    *("Model", "Metric", "Implementations", "Reason", "Noise", "Implementation", "Version"),
    *("Extractor", "Weights", "Preprocessing", "Divisor"),
)
KEYS = ["role", "recipe", "selection", "nfe", "n_images", "implementation"]


def first_ours(name: str) -> tuple[bool, str]:
    """Key that sorts implementations: ours, then the others by name."""
    return name != DECIDES, name


def metrics_of(records: pd.DataFrame) -> list[str]:
    """The records' metrics: distances and score in the usual order, then others as they come."""
    found = list(dict.fromkeys(records["metric"]))
    return [name for name in NAMES_OF_METRICS if name in found] + [
        name for name in found if name not in NAMES_OF_METRICS
    ]


def _summary(rows: pd.DataFrame) -> tuple[float, float]:
    """Mean and standard error: over training seeds where there are two, else over draws."""
    values = rows["value"].astype(float)
    means = values.groupby(rows["run_seed"]).mean()
    units = means if len(means) > 1 else values
    n = len(units)
    return float(units.mean()), float(units.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan


def _named(role: str, recipe: str, selection: str, nfe: int) -> str:
    if role == "teacher":
        return f"Teacher, {nfe} evaluation{'s' if nfe > 1 else ''}"
    if role == "floor":
        return "Real against real"
    if role == "curve":
        return "One step, undistilled"
    return f"{NAMES.get(recipe, recipe)}, {selection}"


def _shown(records: pd.DataFrame) -> pd.DataFrame:
    """Rows that the table summarises: fresh draws, the teacher, the floor, image 0.

    All runs from the teacher share their undistilled start and its noise, so one stands for all.
    """
    begun = records[(records["role"] == "curve") & (records["images"] == 0)]
    begun = begun[~begun["recipe"].isin(BRANCHES)].drop_duplicates(["implementation", "metric"])
    others = records[records["role"].isin(ROLES) & (records["role"] != "curve")]
    return pd.concat([others, begun.assign(recipe="", run_seed=-1)], ignore_index=True)


def _order(table: pd.DataFrame) -> pd.DataFrame:
    """Methods as named elsewhere, then ceilings and floor; ours first."""
    roles = {"final": 0, "curve": 1, "teacher": 2, "floor": 3}
    recipes = {recipe: place for place, recipe in enumerate(NAMES)}
    keys = pd.DataFrame(
        {
            "n": -table["n_images"],
            "role": table["role"].map(roles),
            "recipe": table["recipe"].map(recipes).fillna(len(recipes)),
            "selection": table["selection"] != "last",
            "nfe": -table["nfe"],
            "implementation": table["implementation"].map(first_ours),
        }
    )
    return table.loc[keys.sort_values(list(keys.columns)).index].reset_index(drop=True)


def main_table(records: pd.DataFrame) -> pd.DataFrame:
    """Methods x implementations at the last and the best snapshot, with floor and ceilings.

    Args:
        records: records as of `sid.evaluate.records`.

    Returns:
        One row for each model, selection, image count and implementation; for each metric its
        mean and standard error, over training seeds where there are two or more, else over draws.
    """
    rows, metrics = [], metrics_of(records)
    for _, group in _shown(records).groupby(KEYS, sort=False):
        first = group.iloc[0]
        low, high = f"{group['kimg'].min():.4g}", f"{group['kimg'].max():.4g}"
        kimg = low if low == high else f"{low} to {high}"
        row = {key: first[key] for key in KEYS} | {
            "model": _named(first["role"], first["recipe"], first["selection"], first["nfe"]),
            "kimg": kimg if first["role"] in ("final", "curve") else "",
            "seeds": group["run_seed"].nunique() if first["role"] == "final" else "",
            "draws": group["draw"].nunique(),
        }
        for metric in metrics:
            mean, stderr = _summary(group[group["metric"] == metric])
            row |= {metric: mean, f"{metric}_stderr": stderr}
        rows.append(row)
    pairs = [name for metric in metrics for name in (metric, f"{metric}_stderr")]
    return _order(pd.DataFrame(rows, columns=[*KEYS, "model", "kimg", "seeds", "draws", *pairs]))


def with_error(value: float, stderr: float, digits: int = 3) -> str:
    """`value +- stderr` with as many decimals on both, `-` for no value."""
    if not np.isfinite(value):
        return "-"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else digits
    text = f"{value:,.{decimals}f}"
    return text if not np.isfinite(stderr) else f"{text} \N{PLUS-MINUS SIGN} {stderr:,.{decimals}f}"


def readable(table: pd.DataFrame, extractor: str) -> pd.DataFrame:
    """The main table for people: a row a model, the Frechet distance of each implementation.

    Args:
        table: as of `main_table`.
        extractor: name of the feature extractor.
    """
    implementations = list(dict.fromkeys(table["implementation"]))
    columns = [str(name) for name in table]
    metrics = [name.removesuffix("_stderr") for name in columns if name.endswith("_stderr")]
    # The distance of everyone, and of the others what decides.
    asked = [(metrics[0], of) for of in implementations] if metrics else []
    asked += [(metric, DECIDES) for metric in metrics[1:]]
    rows = []
    # The best snapshots of several seeds stand at several counts, but are one row.
    for _, group in table.groupby(["model", "n_images"], sort=False):
        first = group.iloc[0]
        row = {"Model": first["model"], "kimg": first["kimg"], "n": f"{first['n_images']:,}"}
        row |= {"Seeds": first["seeds"], "Draws": first["draws"]}
        cells = {str(of["implementation"]): of for of in group.to_dict("records")}
        for metric, of in asked:
            cell = cells.get(of, {metric: math.nan, f"{metric}_stderr": math.nan})
            text = with_error(cell[metric], cell[f"{metric}_stderr"])
            row[f"{label(metric, extractor)}, {of}"] = text
        rows.append(row)
    return pd.DataFrame(rows)


def endings(table: pd.DataFrame) -> pd.DataFrame:
    """Rows at the fresh draws' n: where each method ends, the teacher and the floor."""
    return table[table["n_images"].isin(table.loc[table["role"] == "final", "n_images"])]


def ladder(table: pd.DataFrame) -> pd.DataFrame:
    """Rows at the curves' n: the undistilled start, the teacher's ladder and the floor."""
    return table[~table.index.isin(endings(table).index)]


def to_markdown(table: pd.DataFrame) -> str:
    """A Markdown table; all but the columns of text are aligned right."""
    right = [str(name) not in TEXTS for name in table]
    head = "| " + " | ".join(str(name) for name in table) + " |"
    rule = "|" + "|".join("---:" if numeric else "---" for numeric in right) + "|"
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in table.to_numpy()]
    rows = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([head, rule, *rows]) + "\n"


def write_table(stem: Path, table: pd.DataFrame, shown: pd.DataFrame) -> None:
    """Write `stem.csv` with all digits and `stem.md` for people."""
    write_atomic(stem.with_suffix(".csv"), lambda path: table.to_csv(path, index=False))
    write_text(stem.with_suffix(".md"), to_markdown(shown))
