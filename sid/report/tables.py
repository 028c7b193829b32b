"""The main table, and how every table is written: once as CSV and once as Markdown."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from sid.evaluate.metrics import METRICS, label
from sid.files import write_atomic, write_text
from sid.report.naming import first_ours, start, titles
from sid.report.spread import Errors
from sid.verdict.bias import bias_of
from sid.verdict.entries import Subject

TEXTS = (
    *("Family", "Method"),
    *("Model", "Metric", "Implementations", "Reason", "Noise", "Implementation", "Version"),
    *("Extractor", "Weights", "Preprocessing", "Divisor", "Error over"),
)
BOTH = "last and best"
ROLES = ("final", "external", "teacher", "redrawn")  # And image 0 of `curve`.
KEYS = ["role", "recipe", "selection", "nfe", "n_images", "implementation"]


def metrics_of(records: pd.DataFrame) -> list[str]:
    """The records' metrics: distances and score in the usual order, then others as they come."""
    found = list(dict.fromkeys(records["metric"]))
    return [name for name in METRICS if name in found] + [
        name for name in found if name not in METRICS
    ]


def _named(names: Mapping[str, str], role: str, recipe: str, selection: str, nfe: int) -> str:
    if role == "teacher":
        return f"Teacher, {nfe} evaluation{'s' if nfe > 1 else ''}"
    if role == "redrawn":
        return "Real images drawn again"
    if role == "curve":
        return "One step, undistilled"
    return ", ".join(filter(None, (names[recipe], selection)))


def last_is_best(final: pd.DataFrame) -> bool:
    """Whether one recipe's rows of role `final` have the same snapshots as last and as best."""
    places = final[["run_seed", "images"]]
    last, best = (
        set(places[final["selection"] == selection].itertuples(index=False, name=None))
        for selection in ("last", "best")
    )
    return last == best


def _shown(records: pd.DataFrame, subjects: Mapping[str, Subject]) -> pd.DataFrame:
    """Rows that the table summarises: fresh draws, the teacher, real images, image 0.

    All runs from the teacher share their undistilled start and its noise, so one stands for all.
    Where the last snapshot of every seed is its best, one row has both names. The teacher has its
    fresh draws, and that on the curves' noise only where there are no others of its size.
    """
    begun = records[(records["role"] == "curve") & (records["images"] == 0)]
    later = [recipe for recipe in subjects if start(subjects, recipe)]
    begun = begun[~begun["recipe"].isin(later)].drop_duplicates(["implementation", "metric"])
    others = records[records["role"].isin(ROLES)]
    fresh = others.groupby(["role", "recipe", "nfe", "n_images"])["draw"].transform("max") > 0
    others = others[~((others["role"] == "teacher") & (others["draw"] == 0) & fresh)]
    final = others["role"] == "final"
    both = [recipe for recipe, rows in others[final].groupby("recipe") if last_is_best(rows)]
    twice = final & others["recipe"].isin(both)
    others = others[~(twice & (others["selection"] == "best"))]
    others = others.assign(selection=others["selection"].mask(twice, BOTH))
    return pd.concat([others, begun.assign(recipe="", run_seed=-1)], ignore_index=True)


def _perfect(records: pd.DataFrame, table: pd.DataFrame) -> list[dict[str, object]]:
    """A row of a perfect generator, estimated, beside each of real images drawn again."""
    rows = []
    for row in table[table["role"] == "redrawn"].to_dict("records"):
        bias = bias_of(records, str(row["implementation"]))
        if bias:
            value, stderr = bias.perfect(int(row["n_images"]))
            rows.append(
                {key: row[key] for key in ("recipe", "selection", "nfe", "n_images")}
                | {"implementation": row["implementation"], "role": "perfect", "kimg": ""}
                | {"model": "Perfect generator, estimated", "seeds": "", "draws": ""}
                | {"over": f"{bias.freedom + 1} values of b", "frechet_distance": value}
                | {"frechet_distance_stderr": stderr}
            )
    return rows


def _order(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Methods as named elsewhere, then teacher and real images; ours first."""
    roles = {"final": 0, "external": 0, "curve": 1, "teacher": 2, "perfect": 3, "redrawn": 4}
    recipes = {recipe: place for place, recipe in enumerate(names)}
    keys = pd.DataFrame(
        {
            "n": -table["n_images"],
            "role": table["role"].map(roles),
            "recipe": table["recipe"].map(recipes).fillna(len(recipes)),
            "selection": table["selection"] == "best",
            "nfe": -table["nfe"],
            "implementation": table["implementation"].map(first_ours),
        }
    )
    return table.loc[keys.sort_values(list(keys.columns)).index].reset_index(drop=True)


def main_table(records: pd.DataFrame, subjects: Mapping[str, Subject]) -> pd.DataFrame:
    """Methods x implementations at the last and the best snapshot, with teacher and real images.

    Args:
        records: records of one benchmark, as of `sid.evaluate.records`.
        subjects: of the claims, that name recipes and have their order.

    Returns:
        One row for each model, selection, image count and implementation; for each metric its
        mean and standard error (`Errors`), and what that is `over`. The rows of role `perfect`
        are estimates (`sid.verdict.bias`).
    """
    numbers = {name: pd.to_numeric(records[name]).astype(float) for name in ("value", "stderr")}
    shown = _shown(records.assign(**numbers), subjects)
    names = titles(subjects, shown["recipe"].unique())
    rows, metrics, errors = [], metrics_of(shown), Errors(shown)
    for _, group in shown.groupby(KEYS, sort=False):
        first = group.iloc[0]
        low, high = f"{group['kimg'].min():.4g}", f"{group['kimg'].max():.4g}"
        kimg = low if low == high else f"{low} to {high}"
        row = {key: first[key] for key in KEYS} | {
            "model": _named(names, *first[["role", "recipe", "selection", "nfe"]]),
            "kimg": kimg if first["role"] in ("final", "curve") else "",
            "seeds": group["run_seed"].nunique() if first["role"] == "final" else "",
            "draws": group["draw"].nunique(),
            "over": errors.over(group),
        }
        for metric in metrics:
            mean, stderr = errors.of(group[group["metric"] == metric])
            row |= {metric: mean, f"{metric}_stderr": stderr}
        rows.append(row)
    pairs = [name for metric in metrics for name in (metric, f"{metric}_stderr")]
    columns = [*KEYS, "model", "kimg", "seeds", "draws", "over", *pairs]
    table = pd.DataFrame(rows, columns=columns)
    perfect = pd.DataFrame(_perfect(records, table), columns=columns)
    whole = pd.concat([table, perfect], ignore_index=True) if len(perfect) else table
    return _order(whole, names)


def with_error(value: float, stderr: float, digits: int = 3) -> str:
    """`value +- stderr`, both to two digits of the error; `-` for no value.

    Args:
        value: the value.
        stderr: its error; where there is none, `digits` of the value are shown.
        digits: how many.
    """
    if not np.isfinite(value):
        return "-"
    if np.isfinite(stderr) and stderr > 0:
        decimals = max(0, 1 - math.floor(math.log10(stderr)))
    else:
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
    # The distance of everyone, and of the others the first: ours, where there are ours.
    decided = min(implementations, key=first_ours, default="")
    asked = [(metrics[0], of) for of in implementations] if metrics else []
    asked += [(metric, decided) for metric in metrics[1:]]
    rows = []
    # The best snapshots of several seeds stand at several counts, but are one row.
    for _, group in table.groupby(["model", "n_images"], sort=False):
        first = group.iloc[0]
        row = {"Model": first["model"], "kimg": first["kimg"], "n": f"{first['n_images']:,}"}
        row |= {"Seeds": first["seeds"], "Draws": first["draws"], "Error over": first["over"]}
        cells = {str(of["implementation"]): of for of in group.to_dict("records")}
        for metric, of in asked:
            cell = cells.get(of, {metric: math.nan, f"{metric}_stderr": math.nan})
            text = with_error(cell[metric], cell[f"{metric}_stderr"])
            row[f"{label(metric, extractor)}, {of}"] = text
        rows.append(row)
    return pd.DataFrame(rows)


def endings(table: pd.DataFrame) -> pd.DataFrame:
    """Rows at the fresh draws' n: where each method ends, the teacher and the real images."""
    ends = table["role"].isin(["final", "external"])
    return table[table["n_images"].isin(table.loc[ends, "n_images"])]


def ladder(table: pd.DataFrame) -> pd.DataFrame:
    """Rows at the curves' n: the undistilled start, the teacher's ladder and the real images."""
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
